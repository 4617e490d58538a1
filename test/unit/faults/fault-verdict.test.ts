import { faultVerdict } from "../../support/fault-verdict"

const ledger = [1, 2, 3].map((n) => ({ row: "a", n }))
const arrived = (...numbers: readonly number[]) => numbers.map((n) => ({ row: "a", n, id: `id-${n}` }))
const good = { lost: [], phantom: [], disordered: [], duplicates: 0 }

describe("the verdict of the fault suite", () => {
  it.each([
    ["all is well", arrived(1, 2, 3), good],
    ["one is lost", arrived(1, 3), { ...good, lost: ["a#2"] }],
    ["one was never committed", arrived(1, 2, 3, 4), { ...good, phantom: ["a#4"] }],
    ["two have changed places", arrived(1, 3, 2), { ...good, disordered: ["a#2"] }],
    ["one came before the two that it follows", arrived(3, 1, 2), { ...good, disordered: ["a#1", "a#2"] }],
    ["a batch came twice, in order", arrived(1, 2, 1, 2, 3), { ...good, duplicates: 2 }],
    [
      "one change came as two events",
      [...arrived(1, 2, 3), { row: "a", n: 2, id: "other" }],
      { ...good, phantom: ["a#2 as two events"], duplicates: 1 },
    ],
  ])("knows when %s", (_, journal, verdict) => {
    expect(faultVerdict(ledger, journal)).toEqual(verdict)
  })
})
