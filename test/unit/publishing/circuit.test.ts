import { createCircuit } from "../../../src/publishing/circuit"

describe("the circuit", () => {
  it("opens with the failure that reaches the threshold, and says so once", () => {
    const circuit = createCircuit(3)

    expect([circuit.fail(), circuit.fail(), circuit.fail(), circuit.fail()]).toEqual([false, false, true, false])
    expect(circuit.state).toBe("open")
  })

  it("starts to count anew after a success", () => {
    const circuit = createCircuit(2)

    circuit.fail()
    circuit.succeed()

    expect([circuit.fail(), circuit.state]).toEqual([false, "closed"])
  })

  it("is opened again by the first failure of a probe, and goes on counting", () => {
    const circuit = createCircuit(2)
    circuit.fail()
    circuit.fail()

    circuit.probe()
    const whileProbing = circuit.state
    circuit.fail()

    expect([whileProbing, circuit.state, circuit.failureCount]).toEqual(["half-open", "open", 3])
  })

  it("is closed by a good probe", () => {
    const circuit = createCircuit(1)
    circuit.fail()

    circuit.probe()
    circuit.succeed()

    expect([circuit.state, circuit.failureCount]).toEqual(["closed", 0])
  })

  it("never opens with an infinite threshold", () => {
    const circuit = createCircuit(Infinity)

    for (let call = 0; call < 1_000; call++) circuit.fail()

    expect(circuit.state).toBe("closed")
  })
})
