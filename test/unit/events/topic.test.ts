import { changeTopic } from "../../../src/events/topic"

describe("changeTopic", () => {
  it("names the action, the app and the model after the prefix", () => {
    const topic = changeTopic({ prefix: "nautobot", action: "update", app: "dcim", model: "device" })

    expect(topic).toBe("nautobot.update.dcim.device")
  })

  it.each([undefined, null, ""])("begins with the action when the prefix is %p", (prefix) => {
    expect(changeTopic({ prefix, action: "delete", app: "extras", model: "tag" })).toBe("delete.extras.tag")
  })
})
