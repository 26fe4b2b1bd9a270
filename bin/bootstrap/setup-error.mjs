/** A set-up failure whose message is one line that says what is wrong and what to do. */
export class SetupError extends Error {
  name = 'SetupError';
}

const filesystemAdvice = {
  ENOSPC: 'no disk space left',
  EDQUOT: 'the disk quota is used up',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
};

/** The line for an error of the file system, or undefined when it is not one that the user can repair. */
export function filesystemErrorLine(error, root) {
  const cause = filesystemAdvice[error?.code];
  if (cause === undefined) return undefined;
  const remedy = error.code === 'ENOSPC' || error.code === 'EDQUOT' ? 'free about 1 GB there' : 'make it writable';
  return `${cause} at ${error.path ?? root}: ${remedy} and run the command again`;
}
