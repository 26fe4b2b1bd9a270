/** A part of AWS that shares accounts and capacity with no other. */
export type Partition = 'aws' | 'aws-us-gov' | 'aws-cn';

export interface Region {
  readonly partition: Partition;
  /** Degrees north of the city that the region is named after; to a tenth of a degree. */
  readonly latitude: number;
  /** Degrees east. */
  readonly longitude: number;
}

/** AWS regions with their places, from the AWS Global Infrastructure page (2026): cities, since AWS states no addresses. */
const PLACES: Readonly<Record<string, readonly [number, number]>> = {
  'us-east-1': [38.9, -77.5],
  'us-east-2': [40, -83],
  'us-west-1': [37.3, -121.9],
  'us-west-2': [45.8, -119.7],
  'us-gov-east-1': [40, -83],
  'us-gov-west-1': [45.8, -119.7],
  'ca-central-1': [45.5, -73.6],
  'ca-west-1': [51, -114.1],
  'mx-central-1': [20.6, -100.4],
  'sa-east-1': [-23.5, -46.6],
  'eu-west-1': [53.3, -6.3],
  'eu-west-2': [51.5, -0.1],
  'eu-west-3': [48.9, 2.4],
  'eu-central-1': [50.1, 8.7],
  'eu-central-2': [47.4, 8.5],
  'eu-north-1': [59.3, 18.1],
  'eu-south-1': [45.5, 9.2],
  'eu-south-2': [41.6, -0.9],
  'il-central-1': [32.1, 34.8],
  'me-south-1': [26.1, 50.5],
  'me-central-1': [25.2, 55.3],
  'af-south-1': [-33.9, 18.4],
  'ap-south-1': [19.1, 72.9],
  'ap-south-2': [17.4, 78.5],
  'ap-southeast-1': [1.4, 103.8],
  'ap-southeast-2': [-33.9, 151.2],
  'ap-southeast-3': [-6.2, 106.8],
  'ap-southeast-4': [-37.8, 145],
  'ap-southeast-5': [3.1, 101.7],
  'ap-southeast-6': [-36.8, 174.8],
  'ap-southeast-7': [13.8, 100.5],
  'ap-northeast-1': [35.7, 139.7],
  'ap-northeast-2': [37.6, 127],
  'ap-northeast-3': [34.7, 135.5],
  'ap-east-1': [22.3, 114.2],
  'ap-east-2': [25, 121.5],
  'cn-north-1': [39.9, 116.4],
  'cn-northwest-1': [37.5, 105.2],
};

function partitionOf(name: string): Partition {
  if (name.startsWith('us-gov-')) return 'aws-us-gov';
  return name.startsWith('cn-') ? 'aws-cn' : 'aws';
}

/**
 * What the AZ ids of a region begin with, Local Zones included: `use1` of us-east-1, `usge1` of us-gov-east-1, `apne1` of
 * ap-northeast-1. Undefined for a region that is named in another way.
 */
function azIdPrefix(region: string): string | undefined {
  const parts = /^([a-z]{2})-(gov-)?(north|south|east|west|central|northeast|northwest|southeast|southwest)-(\d)$/.exec(
    region,
  );
  if (parts === null) return undefined;
  const [, area = '', gov, direction = '', number = ''] = parts;
  const initials = /^(north|south)(east|west)$/.exec(direction);
  const towards = initials === null ? direction.slice(0, 1) : `${initials[1]?.[0] ?? ''}${initials[2]?.[0] ?? ''}`;
  return `${area}${gov === undefined ? '' : 'g'}${towards}${number}`;
}

/** What an AZ id that cannot be of a region would have to be; undefined when it can be, and where the region's ids are not known. */
export function azIdObjection(region: string, azId: string): string | undefined {
  const prefix = azIdPrefix(region);
  if (prefix === undefined || azId.startsWith(`${prefix}-`)) return undefined;
  return `an AZ id of ${region}, such as ${prefix}-az1`;
}

/** The names of all regions that are known. */
export const REGION_NAMES: readonly string[] = Object.keys(PLACES);

/** A region by its name, e.g. `eu-west-1`; undefined when it is not known. */
export function regionNamed(name: string): Region | undefined {
  const place = Object.hasOwn(PLACES, name) ? PLACES[name] : undefined;
  if (place === undefined) return undefined;
  return { partition: partitionOf(name), latitude: place[0], longitude: place[1] };
}

const EARTH_RADIUS_KILOMETRES = 6_371;

function radians(degrees: number): number {
  return (degrees * Math.PI) / 180;
}

/** Great-circle distance (haversine) in kilometres. */
export function kilometresBetween(a: Region, b: Region): number {
  const [north, east] = [radians(b.latitude - a.latitude), radians(b.longitude - a.longitude)];
  const half =
    Math.sin(north / 2) ** 2 + Math.cos(radians(a.latitude)) * Math.cos(radians(b.latitude)) * Math.sin(east / 2) ** 2;
  return 2 * EARTH_RADIUS_KILOMETRES * Math.asin(Math.sqrt(half));
}
