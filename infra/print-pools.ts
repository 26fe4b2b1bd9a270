/** Prints the pools of one account of the configuration as `entangle enrol` takes them: `node infra/print-pools.ts ACCOUNT`. */

import { ConfigError, loadConfig, poolSpecs } from './config.ts';
import { configPathWithoutContext } from './config-path.ts';
import { calendarEvents, eventWindow } from './pool-events.ts';

function printPools(account: string | undefined): void {
  const path = configPathWithoutContext();
  const config = loadConfig(path);
  const known = [...new Set(config.linkedAccounts.map((linked) => linked.accountId))];
  if (account === undefined || !known.includes(account)) {
    throw new ConfigError(`usage: node infra/print-pools.ts ACCOUNT, with one of ${known.join(', ')} (from ${path})`);
  }
  const window = eventWindow(Date.now());
  const linked = config.linkedAccounts.filter(({ accountId }) => accountId === account);
  const pools = linked.flatMap((one) => {
    const specs = poolSpecs({ ...config, linkedAccounts: [one] });
    return one.pools.map((pool, index) => {
      const calendar = pool.calendar ?? one.calendar;
      return calendar === undefined
        ? specs[index]
        : { ...specs[index], events: calendarEvents(calendar, path, window) };
    });
  });
  process.stdout.write(`${JSON.stringify(pools, null, 2)}\n`);
}

try {
  printPools(process.argv[2]);
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
