/** Limits of what one entry of a journal may occupy here. journald itself permits fields of 768 MiB. */
export const EXPORT_LIMITS = {
  /** One field with its name. The rest of a longer one is skipped. */
  fieldBytes: 256 * 1024,
  /** All fields of an entry, with the list of the shortened ones. */
  entryBytes: 1024 * 1024,
  /** As journald's own limit. */
  entryFields: 1024,
  /** A longer value is damage: journald has a limit of 768 MiB. */
  declaredBytes: 2 ** 40,
} as const;

/** Appended to an entry that is not complete: the names of the shortened or missing fields, separated by commas. */
export const SHORTENED_FIELD = 'MEGACOLLECTOR_SHORTENED';
