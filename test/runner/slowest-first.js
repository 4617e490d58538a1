const { default: Sequencer } = require("@jest/test-sequencer")

/** What takes a minute and more. Jest, which goes by the size of a file it does not know, would begin some of them last: one worker would wait. */
const SLOWEST = ["replay-equivalence", "million-rows", "killed-programs", "broken-servers", "cli/operations", "package"]

const isSlow = ({ path }) => SLOWEST.some((name) => path.endsWith(`${name}.test.ts`))

module.exports = class SlowestFirst extends Sequencer {
  sort(tests) {
    const sorted = super.sort(tests)
    return [...sorted.filter(isSlow), ...sorted.filter((test) => !isSlow(test))]
  }
}
