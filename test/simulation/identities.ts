/** As whom a client of the SDK acts: the access key that it was made with. */
const known = new WeakMap<object, string>();

interface WithCredentials {
  readonly config: { readonly credentials: () => Promise<{ readonly accessKeyId: string }> };
}

/** Undefined until `learnIdentity` has asked. */
export function identityOf(client: object): string | undefined {
  return known.get(client);
}

/** Asks a client for its credentials, once; no timer and no network is involved. */
export async function learnIdentity(client: object): Promise<void> {
  const { accessKeyId } = await (client as WithCredentials).config.credentials();
  known.set(client, accessKeyId);
}
