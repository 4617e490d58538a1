import { execFile } from "node:child_process"
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { requireProgram } from "./debian-package"

export interface Certificate {
  readonly key: string
  readonly cert: string
}

/** A certificate for that IP address, signed by nobody but itself. */
export async function selfSignedCertificate(address: string): Promise<Certificate> {
  const openssl = await requireProgram("openssl", "openssl")
  const folder = await mkdtemp(join(tmpdir(), "certificate-"))
  const [key, cert] = [join(folder, "key"), join(folder, "cert")]
  const request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=syslog"]
  await promisify(execFile)(openssl, [
    ...request,
    "-addext",
    `subjectAltName=IP:${address}`,
    "-keyout",
    key,
    "-out",
    cert,
  ])
  const certificate = { key: await readFile(key, "utf8"), cert: await readFile(cert, "utf8") }
  await rm(folder, { recursive: true })
  return certificate
}
