/** The reason why a file cannot be used, with the errno code and the remedy. Ends with a full stop. */
export function fileErrorText(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  const meaning = MEANINGS[code];
  return meaning === undefined ? `${message}.` : `${meaning.reason} (${code}). ${meaning.advice}`;
}

const MEANINGS: Readonly<Record<string, { readonly reason: string; readonly advice: string }>> = {
  ENOENT: { reason: 'it does not exist', advice: 'Check the path.' },
  ENOTDIR: { reason: 'a part of the path is not a directory', advice: 'Check the path.' },
  EACCES: {
    reason: 'this user does not have the permission',
    advice: 'Give the user read permission (a group such as adm, or setfacl), or run as another user.',
  },
  EPERM: { reason: 'the system does not permit it', advice: 'Run as another user.' },
  ELOOP: { reason: 'its symbolic links are a loop', advice: 'Check where the links lead.' },
  EMFILE: { reason: 'too many files are open', advice: 'Raise the limit (ulimit -n).' },
  EIO: { reason: 'the disk failed', advice: 'Check the disk and the kernel log.' },
};
