/** Whether a topic is meant. */
export type TopicMatcher = (topic: string) => boolean

export interface TopicPatterns {
  /** A topic must match one of these. Default, also when empty: every topic does. */
  readonly include?: readonly string[] | null
  /** A topic must match none of these. Default: none. */
  readonly exclude?: readonly string[] | null
}

/** What one place of a pattern accepts: a character of a set, any character, or any run of characters. */
type Token = CharacterSet | "?" | "*"

interface CharacterSet {
  readonly isNegated: boolean
  /** Code points, first and last included. */
  readonly ranges: readonly (readonly [first: number, last: number])[]
}

/** The topics that match an included pattern and no excluded one. */
export function topicFilter({ include, exclude }: TopicPatterns): TopicMatcher {
  const included = (include ?? []).map(compileTopicPattern)
  const excluded = (exclude ?? []).map(compileTopicPattern)
  const matchesOne = (matchers: readonly TopicMatcher[], topic: string): boolean => matchers.some((m) => m(topic))
  return (topic) => (included.length === 0 || matchesOne(included, topic)) && !matchesOne(excluded, topic)
}

/**
 * The pattern language of shells, as Python's fnmatch has it, over the whole topic and case-sensitive: `*` is any run of
 * characters, dots included, `?` one character, `[abc]`, `[a-c]` and `[!abc]` one of a set. There is no escape character:
 * `[*]`, `[?]` and `[[]` stand for themselves. A `[` that is not closed is an ordinary character, so every text is a pattern.
 */
export function compileTopicPattern(pattern: string): TopicMatcher {
  if (pattern === "*") return () => true
  if (!["*", "?", "["].some((special) => pattern.includes(special))) return (topic) => topic === pattern
  const tokens = parsePattern([...pattern])
  return (topic) => matches(tokens, [...topic])
}

function parsePattern(pattern: readonly string[]): Token[] {
  const tokens: Token[] = []
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at] as string
    const end = character === "[" ? endOfSet(pattern, at) : -1
    if (end > 0) {
      tokens.push(parseSet(pattern.slice(at + 1, end)))
      at = end
    } else if (character === "*") {
      if (tokens.at(-1) !== "*") tokens.push("*")
    } else {
      tokens.push(character === "?" ? "?" : { isNegated: false, ranges: [range(character, character)] })
    }
  }
  return tokens
}

/** Where the set that begins at `start` is closed, or -1. A `]` right after `[` or `[!` is an ordinary member. */
function endOfSet(pattern: readonly string[], start: number): number {
  const first = pattern[start + 1] === "!" ? start + 2 : start + 1
  return pattern.indexOf("]", first + 1)
}

function parseSet(body: readonly string[]): CharacterSet {
  const isNegated = body[0] === "!"
  const ranges: (readonly [number, number])[] = []
  for (let at = isNegated ? 1 : 0; at < body.length; at++) {
    const first = body[at] as string
    const last = body[at + 1] === "-" ? body[at + 2] : undefined
    ranges.push(range(first, last ?? first))
    if (last !== undefined) at += 2
  }
  return { isNegated, ranges }
}

function range(first: string, last: string): readonly [number, number] {
  return [first.codePointAt(0) as number, last.codePointAt(0) as number]
}

/**
 * Goes back to the last `*` only, never to an earlier one: whatever an earlier one could take, the last can take as well. So
 * the time is at most the product of the lengths, also for `*a*a*a*b`.
 */
function matches(tokens: readonly Token[], topic: readonly string[]): boolean {
  let token = 0
  let at = 0
  let star = -1
  let takenByStar = 0
  while (at < topic.length) {
    const current = tokens[token]
    if (current === "*") {
      star = token++
      takenByStar = at
    } else if (current !== undefined && accepts(current, topic[at] as string)) {
      token++
      at++
    } else if (star >= 0) {
      token = star + 1
      at = ++takenByStar
    } else {
      return false
    }
  }
  return token === tokens.length || (token === tokens.length - 1 && tokens[token] === "*")
}

function accepts(token: CharacterSet | "?", character: string): boolean {
  if (token === "?") return true
  const code = character.codePointAt(0) as number
  return token.ranges.some(([first, last]) => first <= code && code <= last) !== token.isNegated
}
