// Opens every page of the site in Chromium, as a reader does.
//
//   node tests/site/check.mjs SITE PLAYWRIGHT CHROMIUM SCREENSHOTS
//
// What must hold: no script fails, nothing is fetched from elsewhere, each link and anchor leads somewhere, every image
// is shown, no page scrolls sideways on a phone, and the search finds what people look for.
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { launch } from './browser.mjs';

const [site, playwright, executablePath, screenshots] = process.argv.slice(2);
const SEARCHES = ['work stealing', 'event loop', 'gather', 'deadlock', 'zombie'];
const PHONE = { width: 390, height: 844 };
const SHOTS = ['index.html', 'guide/03-a-pool-of-threads.html', 'glossary.html', 'pages/coming-from-python.html'];

const faults = new Set();
const fault = (page, what) => faults.add(`${page}: ${what}`);

const types = { '.html': 'text/html', '.css': 'text/css', '.js': 'text/javascript', '.svg': 'image/svg+xml', '.png': 'image/png', '.woff2': 'font/woff2' };
const server = http.createServer((request, response) => {
    const file = path.join(site, decodeURIComponent(new URL(request.url, 'http://site').pathname));
    if (!file.startsWith(site) || !fs.existsSync(file) || !fs.statSync(file).isFile()) {
        response.writeHead(404).end();
        return;
    }
    response.writeHead(200, { 'content-type': types[path.extname(file)] ?? 'text/plain' });
    fs.createReadStream(file).pipe(response);
});
await new Promise((listens) => server.listen(0, '127.0.0.1', listens));
const origin = `http://127.0.0.1:${server.address().port}/`;

const browser = await launch(playwright, executablePath);
const context = await browser.newContext({ viewport: PHONE });
const page = await context.newPage();
let now = '';
page.on('pageerror', (error) => fault(now, `a script fails: ${error.message}`));
page.on('console', (message) => message.type() === 'error' && fault(now, `the console says: ${message.text()}`));
page.on('requestfailed', (request) => fault(now, `cannot be fetched: ${request.url()}`));
page.on('request', (request) => {
    const isHere = request.url().startsWith(origin) || request.url().startsWith('data:');
    if (!isHere) fault(now, `fetches from elsewhere: ${request.url()}`);
});

/** What a page offers to a link from elsewhere, and which links it has itself. */
const ids = new Map();
const links = [];
// Pages of the reference are rustdoc's own, and it has checked their links. Those that the book points to are opened.
const waiting = fs.readdirSync(site, { recursive: true })
    .filter((name) => name.endsWith('.html') && !/^(reference|files)\/|^(404|toc)\.html$/.test(name));
const seen = new Set(waiting);
let nPages = 0;
while (waiting.length > 0) {
    now = waiting.shift();
    await page.goto(origin + now, { waitUntil: 'load' });
    nPages += 1;
    const found = await page.evaluate(() => ({
        ids: [...document.querySelectorAll('[id], a[name]')].map((element) => element.id || element.name),
        links: [...document.querySelectorAll('a[href]')].map((a) => a.href),
        width: document.documentElement.scrollWidth,
        empty: [...document.images].filter((image) => image.naturalWidth === 0).map((image) => image.src),
        // Code and tables may scroll in themselves; mdBook hides from the document what else is too wide.
        widest: [...document.querySelectorAll('main *, body > *')]
            .filter((element) => element.getBoundingClientRect().right > innerWidth + 1 && !element.closest('pre, .table-wrapper'))
            .slice(0, 3).map((element) => `<${element.tagName.toLowerCase()}> ${element.textContent.trim().slice(0, 40)}`),
    }));
    ids.set(now, new Set(found.ids));
    for (const image of found.empty) fault(now, `an image is not shown: ${image}`);
    const isRustdoc = now.startsWith('reference/');
    if (!isRustdoc && (found.width > PHONE.width || found.widest.length > 0)) {
        fault(now, `is too wide for a phone of ${PHONE.width} px: ${found.widest.join('; ')}`);
    }
    if (isRustdoc) continue;
    for (const link of found.links.filter((link) => link.startsWith(origin))) {
        const [file, anchor] = link.slice(origin.length).split('#');
        const to = file === '' ? 'index.html' : decodeURIComponent(file.split('?')[0]);
        links.push({ from: now, to, anchor });
        if (!fs.existsSync(path.join(site, to)) || to.endsWith('/')) {
            fault(now, `a link leads nowhere: ${to}`);
        } else if (!seen.has(to)) {
            seen.add(to);
            waiting.push(to);
        }
    }
}
for (const { from, to, anchor } of links) {
    const isLine = /^\d+(-\d+)?$/.test(anchor ?? ''); // Of a source page.
    if (anchor && !isLine && ids.has(to) && !ids.get(to).has(decodeURIComponent(anchor))) {
        fault(from, `the link to ${to} has an anchor that is not there: #${anchor}`);
    }
}

fs.mkdirSync(screenshots, { recursive: true });
for (const shot of SHOTS.filter((shot) => fs.existsSync(path.join(site, shot)))) {
    now = shot;
    const name = shot.replace(/\W+/g, '-').replace(/-html$/, '');
    for (const [kind, viewport] of [['phone', PHONE], ['desk', { width: 1280, height: 900 }]]) {
        await page.setViewportSize(viewport);
        await page.goto(origin + shot, { waitUntil: 'load' });
        await page.screenshot({ path: path.join(screenshots, `${name}-${kind}.png`) });
    }
}
for (const wanted of SEARCHES) {
    now = `the search for "${wanted}"`;
    await page.goto(`${origin}index.html?search=${encodeURIComponent(wanted)}`, { waitUntil: 'load' });
    try {
        await page.waitForSelector('#mdbook-searchresults li a, #searchresults li a', { timeout: 10_000 });
    } catch {
        fault(now, 'finds nothing');
    }
}
await page.screenshot({ path: path.join(screenshots, 'search-desk.png') });
await browser.close();
server.close();

for (const line of faults) console.log(line);
console.log(`${nPages} pages opened, ${links.length} links followed, ${SEARCHES.length} searches, ${faults.size} faults`);
process.exit(faults.size === 0 ? 0 : 1);
