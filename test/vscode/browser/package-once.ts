import type { TestProject } from 'vitest/node';
import { packageExtension } from '../../../scripts/package.mjs';
import { installChromium } from '../../host/chromium.mjs';
import { chosenBuild, installServer } from '../../host/server-install.mjs';

declare module 'vitest' {
  interface ProvidedContext {
    /** The packaged extension, which is what the tests install. */
    readonly vsix: string;
  }
}

/** Packs the extension and fetches the editor before the first test, so that no test's time goes into it. */
export async function setup(project: TestProject): Promise<void> {
  project.provide('vsix', await packageExtension());
  await installServer(chosenBuild());
  await installChromium();
}
