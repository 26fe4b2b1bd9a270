// Adds to package-lock.json the binaries of other platforms that a registry mirror did not offer when it was written:
// npm ci refuses a lockfile without them. Run it after npm install; it changes nothing when nothing is missing.
import { readFileSync, writeFileSync } from 'node:fs';

const operatingSystems = [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
];
const processors = ['arm', 'arm64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64'];
const exactVersion = /^\d+\.\d+\.\d+(-[\w.]+)?$/;

/** Where npm found or would hoist a dependency of the package at `location`. */
function isLocked(packages, location, name) {
  const nested = location === '' ? undefined : packages[`${location}/node_modules/${name}`];
  return nested !== undefined || packages[`node_modules/${name}`] !== undefined;
}

/** The entry of a platform's binary, its platform read from its name; undefined when the name does not tell. */
export function platformEntry(name, version, parent) {
  const words = name.replace('windows', 'win32').split(/[/-]/);
  const os = operatingSystems.find((word) => words.includes(word));
  const cpu = processors.find((word) => words.includes(word));
  if (os === undefined || cpu === undefined || !exactVersion.test(version)) return undefined;
  const libc = words.includes('musl') ? 'musl' : words.includes('gnu') ? 'glibc' : undefined;
  return {
    version,
    cpu: [cpu],
    ...(parent.dev === true ? { dev: true } : {}),
    ...(libc === undefined ? {} : { libc: [libc] }),
    optional: true,
    os: [os],
  };
}

/** The lockfile with every missing binary added, its packages in npm's order, and the names added. */
export function completeLockfile(lockfile) {
  const added = {};
  for (const [location, parent] of Object.entries(lockfile.packages)) {
    for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
      if (isLocked(lockfile.packages, location, name)) continue;
      const entry = platformEntry(name, version, parent);
      if (entry !== undefined) added[`node_modules/${name}`] = entry;
    }
  }
  const all = Object.entries({ ...lockfile.packages, ...added });
  const packages = Object.fromEntries(all.sort(([left], [right]) => left.localeCompare(right, 'en')));
  return { lockfile: { ...lockfile, packages }, added: Object.keys(added) };
}

if (process.argv[1] === import.meta.filename) {
  const path = 'package-lock.json';
  const { lockfile, added } = completeLockfile(JSON.parse(readFileSync(path, 'utf8')));
  if (added.length > 0) writeFileSync(path, `${JSON.stringify(lockfile, null, 2)}\n`);
  process.stdout.write(`${path}: ${added.length} platform packages added\n`);
}
