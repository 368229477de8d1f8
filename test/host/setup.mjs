// Fetches what the tests in the real editor need; everything is cached, and a second run needs no network.
import { installChromium } from './chromium.mjs';
import { chosenBuild, installServer } from './server-install.mjs';

const { version } = await installServer(chosenBuild());
const { executablePath } = await installChromium();
console.log(`VS Code server ${version} and ${executablePath} are ready.`);
