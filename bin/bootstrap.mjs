// Sets up what a fresh clone lacks, then runs one of the project's commands on the project's own Node.
// This file keeps to old syntax, so that an old Node reads it and says what to do instead of a SyntaxError.
const oldestNodeMajor = 20;

if (parseInt(process.versions.node, 10) < oldestNodeMajor) {
  process.stderr.write(
    'entangle: Node ' +
      process.versions.node +
      ' is too old: install Node ' +
      oldestNodeMajor +
      ' or newer from https://nodejs.org/en/download, then run the command again\n',
  );
  process.exitCode = 1;
} else {
  void import('./bootstrap/main.mjs').then(function (module) {
    return module.main(process.argv.slice(2));
  });
}
