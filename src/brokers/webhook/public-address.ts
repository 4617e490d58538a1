import type { LookupAddress, LookupOptions } from "node:dns"
import { lookup } from "node:dns"
import { BlockList, isIP, type LookupFunction } from "node:net"

/** Where no public server is: RFC 6890 and the registries it began. */
const PRIVATE_NETWORKS_4: readonly (readonly [network: string, prefix: number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
]

/** Parts of 2000::/3 that are for tunnels and examples; a tunnel's address holds one of IPv4 that nobody would check. */
const PRIVATE_NETWORKS_6: readonly (readonly [network: string, prefix: number])[] = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
]

/** Addresses of IPv6 that are one of IPv4: mapped, and of a translator (NAT64). */
const HOLDERS_OF_IPV4 = ["::ffff:", "64:ff9b::"]

const refused = new BlockList()
for (const [network, prefix] of PRIVATE_NETWORKS_4) {
  refused.addSubnet(network, prefix, "ipv4")
  for (const holder of HOLDERS_OF_IPV4) refused.addSubnet(`${holder}${network}`, 96 + prefix, "ipv6")
}
for (const [network, prefix] of PRIVATE_NETWORKS_6) refused.addSubnet(network, prefix, "ipv6")

/** All there is of public IPv6; what is outside of it is private, link-local, multicast or not given to anybody. */
const reachable = new BlockList()
reachable.addSubnet("2000::", 3, "ipv6")
for (const holder of HOLDERS_OF_IPV4) reachable.addSubnet(`${holder}0.0.0.0`, 96, "ipv6")

/** Whether an address is one that anybody on the Internet could have. False for what is no address. */
export function isPublicAddress(address: string): boolean {
  const [bare = ""] = address.split("%")
  if (isIP(bare) === 4) return !refused.check(bare, "ipv4")
  return isIP(bare) === 6 && reachable.check(bare, "ipv6") && !refused.check(bare, "ipv6")
}

/** Whether the host of the url is private without asking anybody: an address, or a name of this machine. */
export function isPrivateHost(url: URL): boolean {
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "")
  if (isIP(host) !== 0) return !isPublicAddress(host)
  return host === "localhost" || host.endsWith(".localhost")
}

/** What a lookup fails with when a name has a private address. */
export class PrivateAddressError extends Error {
  constructor(host: string) {
    super(`${host} has a private address`)
  }
}

/**
 * Looks a name up for a socket that is about to connect, and gives it no address unless all of them are public. It is the lookup of
 * the connection itself: a name that is checked before has other addresses by the time it is connected to (DNS rebinding).
 */
export const publicLookup: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true } as LookupOptions & { all: true }, (error, addresses) => {
    if (error) return callback(error, "", 0)
    if (!addresses.every(({ address }) => isPublicAddress(address))) {
      return callback(new PrivateAddressError(hostname), "", 0)
    }
    const [first] = addresses as [LookupAddress]
    if (options.all) callback(null, addresses)
    else callback(null, first.address, first.family)
  })
}
