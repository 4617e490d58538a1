const hooks = require("node:async_hooks")
const { TestEnvironment } = require("jest-environment-node")

const { AsyncLocalStorage } = hooks

/**
 * Ends what a test file leaves in the process that runs the next one: up to Node 22, each AsyncLocalStorage that was ever entered is looked after
 * at every promise from then on. Jest has one for each file, and so have we; after a hundred files promises cost twenty times as much.
 */
module.exports = class ForgettingEnvironment extends TestEnvironment {
  async setup() {
    await super.setup()
    const storages = (this.storages = [])
    hooks.AsyncLocalStorage = class extends AsyncLocalStorage {
      constructor(...options) {
        super(...options)
        storages.push(this)
      }
    }
  }

  async teardown() {
    hooks.AsyncLocalStorage = AsyncLocalStorage
    for (const storage of this.storages) storage.disable()
    await super.teardown()
  }
}
