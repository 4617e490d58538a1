/** The severities of RFC 5424 by the names winston-syslog knows; the position is not the code, `err` and `warn` are aliases. */
export const severityCodes = {
  emerg: 0,
  alert: 1,
  crit: 2,
  error: 3,
  err: 3,
  warning: 4,
  warn: 4,
  notice: 5,
  info: 6,
  debug: 7,
} as const

export type SyslogLevel = keyof typeof severityCodes

/** The facilities of RFC 5424 by their usual names. */
export const facilityCodes = {
  kern: 0,
  user: 1,
  mail: 2,
  daemon: 3,
  auth: 4,
  syslog: 5,
  lpr: 6,
  news: 7,
  uucp: 8,
  cron: 9,
  authpriv: 10,
  ftp: 11,
  local0: 16,
  local1: 17,
  local2: 18,
  local3: 19,
  local4: 20,
  local5: 21,
  local6: 22,
  local7: 23,
} as const

export type SyslogFacility = keyof typeof facilityCodes
