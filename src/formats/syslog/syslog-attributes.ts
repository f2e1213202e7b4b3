/** The code of the facility: 0 (kern) to 23 (local7). */
export const FACILITY = 'syslog.facility.code';

/** The code of the severity: 0 (emergency) to 7 (debug). */
export const SEVERITY_CODE = 'syslog.severity.code';

/** The message id of RFC 5424, or the mnemonic of a Cisco message (`SEC-6-IPACCESSLOGP`). */
export const MESSAGE_ID = 'syslog.msg_id';

/** An object of the elements by their ids. The value of a name that occurs several times is a list. */
export const STRUCTURED_DATA = 'syslog.structured_data';

/** The process id, if it is a number. */
export const PROCESS_ID = 'process.pid';

/** A process id that is not a number. */
export const PROCESS_NAME = 'syslog.proc_id';

/** The number that Cisco devices give to each message. */
export const SEQUENCE = 'syslog.sequence';

/** The properties that rsyslog's imuxsock has asked the kernel for: `pid`, `uid`, `comm`, ... */
export const TRUSTED = 'syslog.trusted';
