// Chromium, as `check` and `draw` drive it.
import path from 'node:path';
import { pathToFileURL } from 'node:url';

/** A browser that fetches nothing on its own account. */
export async function launch(playwright, executablePath) {
    const { default: { chromium } } = await import(pathToFileURL(path.join(playwright, 'index.js')));
    return chromium.launch({
        executablePath,
        args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
            '--disable-component-update', '--disable-sync'],
    });
}
