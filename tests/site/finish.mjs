// Finishes the site: every link of the book that leads to a file of the repository leads to a page.
//
//   node tests/site/finish.mjs SITE REPOSITORY
//
// A file of `src` has its page in the reference. Another file or a folder gets one below `files/`, which shows it.
// Each page of the book gets a link to the reference.
import fs from 'node:fs';
import path from 'node:path';

const [site, repository] = process.argv.slice(2);
const isFile = (file) => fs.existsSync(file) && fs.statSync(file).isFile();
const escape = (text) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
const asset = (pattern) => fs.readdirSync(site).find((name) => pattern.test(name));
const highlight = { js: asset(/^highlight-.*\.js$/), css: asset(/^highlight-.*\.css$/) };

/** What a browser shows as it is. The rest of what mdBook has copied has a page of its own. */
const isServed = (name) => /\.(css|js|svg|png|woff2|html)$/.test(name);

/** The page of a file or folder of the repository, as a path in the site; undefined if there is no such thing. */
function pageOf(inRepository) {
    const source = path.join(repository, inRepository);
    if (!fs.existsSync(source) || inRepository.startsWith('..')) return undefined;
    const inReference = `reference/src/handspun/${inRepository.replace(/^src\//, '')}.html`;
    if (inRepository.startsWith('src/') && isFile(path.join(site, inReference))) return inReference;
    const page = `files/${inRepository.replace(/\/$/, '') || 'top'}.html`;
    if (!isFile(path.join(site, page))) {
        fs.mkdirSync(path.dirname(path.join(site, page)), { recursive: true });
        fs.writeFileSync(path.join(site, page), ''); // So that a folder which holds itself is not made for ever.
        fs.writeFileSync(path.join(site, page), view(source, inRepository, page));
    }
    return page;
}

function view(source, inRepository, page) {
    const up = path.relative(path.dirname(page), '') || '.';
    const body = isFile(source) ? shown(source) : listed(source, inRepository, page);
    return `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>${escape(inRepository)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<link rel="stylesheet" href="${up}/${highlight.css}">
<style>body { margin: 1rem auto; max-width: 60rem; padding: 0 1rem; font: 16px sans-serif; overflow-wrap: anywhere }
pre { overflow-x: auto; overflow-wrap: normal; font-size: 14px; line-height: 1.4 }</style></head>
<body><p><a href="${up}/index.html">handspun</a> / <code>${escape(inRepository)}</code></p>${body}
<script src="${up}/${highlight.js}"></script><script>document.querySelectorAll('pre code').forEach((code) => hljs.highlightBlock(code))</script></body></html>`;
}

function shown(source) {
    const language = { '.rs': 'rust', '.md': 'markdown', '.toml': 'ini', '.mjs': 'javascript' }[path.extname(source)];
    const code = escape(fs.readFileSync(source, 'utf8'));
    return `<pre><code class="language-${language ?? 'plaintext'}">${code}</code></pre>`;
}

function listed(source, inRepository, page) {
    const names = fs.readdirSync(source).filter((name) => name !== 'target' && !name.startsWith('.git')).sort();
    const items = names.map((name) => {
        const target = pageOf(path.join(inRepository, name));
        return `<li><a href="${escape(path.relative(path.dirname(page), target))}">${escape(name)}</a></li>`;
    });
    return `<ul>${items.join('')}</ul>`;
}

/** Where a link on a page of the book should lead: to what is there, or to the page of a file of the repository. */
function target(page, link) {
    if (/^([a-z]+:|#|\/|$)/.test(link)) return link;
    const [file, anchor] = link.split('#');
    const inSite = path.join(path.dirname(page), file);
    if (isServed(file) && isFile(path.join(site, inSite))) return link;
    const index = inSite.replace(/README\.html$/, 'index.html');
    const inRepository = path.join('docs', inSite).replace(/\.html$/, '.md');
    const found = isServed(index) && isFile(path.join(site, index)) ? index : pageOf(inRepository);
    if (found === undefined) return link; // The check will say that it is dead.
    const relative = path.relative(path.dirname(page), found);
    return anchor && found === index ? `${relative}#${anchor}` : relative;
}

const book = fs.readdirSync(site, { recursive: true })
    .filter((name) => isFile(path.join(site, name)) && !/^(reference|files)\//.test(name));
for (const copied of book.filter((name) => !isServed(name))) {
    fs.rmSync(path.join(site, copied));
}
for (const page of book.filter((name) => name.endsWith('.html'))) {
    const html = fs.readFileSync(path.join(site, page), 'utf8');
    const reference = path.relative(path.dirname(page), 'reference/handspun/index.html');
    const style = 'line-height: var(--menu-bar-height); font-size: 1.6rem; color: var(--icons)';
    const button = `<div class="right-buttons"><a href="${reference}" style="${style}">reference</a>`;
    const linked = html.replace(/(<a [^>]*?href=")([^"]*)"/g, (_, before, link) => `${before}${target(page, link)}"`);
    // A path in prose leads to its file, too, unless it is in a link already.
    const paths = linked.replace(/(<a [^>]*>)?<code>((?:benches|docs|src|tests)\/[\w./-]+)<\/code>/g, (whole, inLink, named) => {
        const found = inLink ? undefined : pageOf(named);
        return found ? `<a href="${path.relative(path.dirname(page), found)}">${whole}</a>` : whole;
    });
    fs.writeFileSync(path.join(site, page), paths.replace('<div class="right-buttons">', button));
}
