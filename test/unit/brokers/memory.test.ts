import { memoryBroker } from "../../../src/brokers/memory"
import { eventMessage } from "../../contracts/event-message"

it("forgets its messages when it is cleared, and leaves alone those taken before", async () => {
  const broker = memoryBroker()
  await broker.publish(eventMessage())
  const taken = broker.messages

  broker.clear()

  expect(broker.messages).toEqual([])
  expect(taken).toEqual([eventMessage()])
})
