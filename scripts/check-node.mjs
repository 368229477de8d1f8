// Every script runs on the Node that the project brings along: the built-in SQLite with `backup()` needs 22.16.
const [major, minor] = process.versions.node.split('.').map(Number);
const ok = major > 22 || (major === 22 && minor >= 16);
if (!ok) {
  console.error(
    `Turnwise needs Node 22.16 or newer, and this script runs on ${process.version}.\n` +
      'The project brings its own Node 24 as a dependency: run "npm ci" (without --ignore-scripts), ' +
      'then start scripts with "npm run ...", which puts it first on the PATH.',
  );
  process.exit(1);
}
if (!process.argv.includes('--quiet')) console.log(`node ${process.version}`);
