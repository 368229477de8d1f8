// An extension for tests only: runs functions that a test sends, so that it can look at the editor from inside as well.
// It listens on a socket in a private folder of the test run, and nowhere without the variable that names it.
const { createServer } = require('node:http');
const vscode = require('vscode');

exports.activate = (context) => {
  const socket = process.env.TURNWISE_TEST_BRIDGE;
  if (!socket) return;
  const server = createServer(async (request, response) => {
    try {
      let body = '';
      for await (const chunk of request) body += chunk;
      const { source, args } = JSON.parse(body);
      const value = await (0, eval)(`(${source})`)(vscode, ...args);
      response.end(JSON.stringify({ value: value ?? null }));
    } catch (error) {
      response.end(JSON.stringify({ error: String(error?.stack ?? error) }));
    }
  });
  // The host that ran before, killed by a test, has left its socket behind.
  require('node:fs').rmSync(socket, { force: true });
  server.listen(socket);
  context.subscriptions.push({ dispose: () => server.close() });
};
