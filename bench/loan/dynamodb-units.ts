/**
 * What DynamoDB bills on demand, from the sizes of items: a write unit for each KiB, two in a
 * transaction. Sizes as the developer guide's "DynamoDB item sizes and formats" gives them.
 */
const WRITE_UNIT_BYTES = 1_024;
const UNITS_IN_A_TRANSACTION = 2;
const COLLECTION_BYTES = 3;

function numberBytes(value: number): number {
  const digits = String(Math.abs(value)).replaceAll(/[.]|^0+|0+$/g, '').length;
  return Math.ceil(digits / 2) + 1 + (value < 0 ? 1 : 0);
}

function valueBytes(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (typeof value === 'number') return numberBytes(value);
  if (value === null || typeof value === 'boolean') return 1;
  if (Array.isArray(value)) return COLLECTION_BYTES + value.reduce((sum: number, one) => sum + 1 + valueBytes(one), 0);
  if (typeof value === 'object') return COLLECTION_BYTES + attributeBytes(value, 1);
  return 0;
}

function attributeBytes(item: object, eachBytes: number): number {
  const present = Object.entries(item).filter(([, value]) => value !== undefined);
  return present.reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + valueBytes(value) + eachBytes, 0);
}

/** Write units of a transaction that writes or checks these items, without those of indexes. */
export function writeUnitsOfTransaction(items: readonly object[]): number {
  return items.reduce<number>(
    (sum, item) => sum + UNITS_IN_A_TRANSACTION * Math.max(1, Math.ceil(attributeBytes(item, 0) / WRITE_UNIT_BYTES)),
    0,
  );
}
