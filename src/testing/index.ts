export { memoryBroker, type MemoryBroker } from "../brokers/memory"
