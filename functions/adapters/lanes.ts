/** Calls at a time: enough to be quick, few enough that one account's items are not fought for. */
const LANES = 8;

/** Runs something for every item, a few at a time. The first failure ends it once the items that have begun are done with. */
export async function inLanes<Item>(items: readonly Item[], run: (item: Item) => Promise<void>): Promise<void> {
  const left = [...items];
  const lane = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await run(item);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}
