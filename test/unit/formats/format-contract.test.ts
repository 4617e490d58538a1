import { cadf } from "../../../src/formats/cadf"
import { cloudevents } from "../../../src/formats/cloudevents"
import { debezium } from "../../../src/formats/debezium"
import { keystone } from "../../../src/formats/keystone"
import { record } from "../../../src/formats/record"
import { describeFormat } from "../../contracts/format-contract"

describeFormat("record", () => record())
describeFormat("keystone", () => keystone({ service: "identity", host: "host1234" }))
describeFormat("cadf", () => cadf({ service: "identity", host: "host1234", optOut: [] }))
describeFormat("cloudevents-structured", () => cloudevents({ source: "/identity" }))
describeFormat("cloudevents-binary", () => cloudevents({ source: "/identity", mode: "binary" }))
describeFormat("debezium", () => debezium({ name: "identity", version: "1.0.0" }))
