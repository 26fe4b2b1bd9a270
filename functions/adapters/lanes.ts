/** Calls at a time: enough to be quick, few enough that one account's items are not fought for. */
const LANES = 8;

const NO_KEYS: readonly string[] = [];

/**
 * Runs something for every item, a few at a time, the first that may first.
 * @param keysOf what a run needs for itself, such as the chains that it appends to: two items that share a key never run at the same time
 * @throws the first failure, once the items that have begun are done with; the others are not begun
 */
export async function inLanes<Item>(
  items: readonly Item[],
  run: (item: Item) => Promise<void>,
  keysOf: (item: Item) => readonly string[] = () => NO_KEYS,
): Promise<void> {
  const left = [...items];
  const taken = new Set<string>();
  const running = new Set<Promise<void>>();
  const failures: unknown[] = [];
  const begin = (item: Item): void => {
    const keys = keysOf(item);
    for (const key of keys) taken.add(key);
    const course: Promise<void> = run(item)
      .catch((error: unknown) => void failures.push(error))
      .finally(() => {
        running.delete(course);
        for (const key of keys) taken.delete(key);
      });
    running.add(course);
  };
  while (left.length + running.size > 0) {
    const next =
      running.size < LANES && failures.length === 0
        ? left.findIndex((item) => keysOf(item).every((key) => !taken.has(key)))
        : -1;
    if (next >= 0) begin(...(left.splice(next, 1) as [Item]));
    else if (running.size > 0) await Promise.race(running);
    else break;
  }
  if (failures.length > 0) throw failures[0];
}
