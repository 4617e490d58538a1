import { publishError } from "../../../src/brokers/redis/redis-errors"

class ReplyError extends Error {}

it.each([
  "LOADING Redis is loading the dataset in memory",
  "OOM command not allowed when used memory > 'maxmemory'.",
  "READONLY You can't write against a read only replica.",
  "MISCONF Redis is configured to save RDB snapshots",
  "NOREPLICAS Not enough good replicas to write.",
  "NOAUTH Authentication required.",
])("the answer %j is no judgement of the message", (answer) => {
  expect(publishError(new ReplyError(answer))).toMatchObject({ code: "BROKER_UNAVAILABLE" })
})

it.each(["NOPERM this user has no permissions", "WRONGTYPE Operation against a key", "ERR unknown command"])(
  "the answer %j is a refusal",
  (answer) => {
    expect(publishError(new ReplyError(answer))).toMatchObject({ code: "PUBLISH_FAILED", retryable: true })
  },
)
