/** An error of AWS by its name: all that the functions look at. */
export function namedError(name: string, message: string): Error {
  return Object.assign(new Error(message), { name });
}
