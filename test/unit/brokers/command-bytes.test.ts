import { Command } from "ioredis"
import { CommandBytes } from "../../../src/brokers/redis/command-bytes"

function written(...commands: readonly (readonly [name: string, ...args: string[]])[]): string {
  const bytes = new CommandBytes()
  for (const [name, ...args] of commands) {
    bytes.command(name, args.length)
    for (const argument of args) bytes.argument(argument)
  }
  return bytes.written().toString("hex")
}

/** As the client writes them. */
function expected(...commands: readonly (readonly [name: string, ...args: string[]])[]): string {
  const texts = commands.map(([name, ...args]) => new Command(name, args).toWritable(undefined as never))
  return Buffer.from(texts.join("")).toString("hex")
}

it.each([
  ["nothing", ["ping"]],
  ["an empty argument", ["publish", "", ""]],
  ["ASCII", ["publish", "update.dcim.device", "{}"]],
  ["line ends", ["publish", "a\r\nb", "\r\n$3\r\n"]],
  ["umlauts, short and long", ["publish", "ü", "ü".repeat(500)]],
  ["what takes three bytes and four", ["publish", "€", "𝄞".repeat(100)]],
  ["half a surrogate pair", ["publish", "\ud834", "x"]],
  ["63, 64 and 65 characters", ["xadd", "a".repeat(63), "b".repeat(64), "c".repeat(65)]],
  ["64 bytes of 63 characters", ["publish", `${"a".repeat(62)}ü`, "x"]],
  ["more than it has room for", ["publish", "topic", "y".repeat(300_000)]],
] as const)("writes %s as the client does", (_name, command) => {
  expect(written(command)).toBe(expected(command))
})

it("writes several, one behind the other, and grows with what is there", () => {
  const commands = Array.from({ length: 500 }, (_, n) => ["publish", `topic-${n}`, "ä".repeat(n * 3)] as const)

  expect(written(...commands)).toBe(expected(...commands))
})

it("starts anew when it is cleared, and keeps its room", () => {
  const bytes = new CommandBytes()
  bytes.argument("z".repeat(200_000))
  const { size } = bytes
  bytes.clear()
  bytes.command("ping", 0)

  expect(bytes.written().toString()).toBe("*1\r\n$4\r\nping\r\n")
  expect(bytes.size).toBe(size)
})
