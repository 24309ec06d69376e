// Draws the diagrams.
//
//   node tests/site/draw.mjs FOLDER PLAYWRIGHT CHROMIUM MERMAID SCREENSHOTS
//
// A drawing is shown as an image, on bright pages and on dark ones: so it has a ground of its own, no script, no font
// from elsewhere, and text as text. It carries its source, by which `tests/tidy/diagrams.rs` knows that it is current.
import fs from 'node:fs';
import path from 'node:path';
import { launch } from './browser.mjs';

const [folder, playwright, executablePath, mermaid, screenshots] = process.argv.slice(2);
const SETTINGS = {
    startOnLoad: false,
    deterministicIds: true,
    htmlLabels: false, // Labels of HTML are not shown in an image.
    fontFamily: 'sans-serif',
    theme: 'base',
    themeVariables: {
        primaryColor: '#eef3f8', primaryBorderColor: '#8a97a5', primaryTextColor: '#1f2933', lineColor: '#1f2933',
        edgeLabelBackground: '#ffffff', noteBkgColor: '#fdf3d7', noteBorderColor: '#d8b95e', actorLineColor: '#c3ccd5',
    },
    themeCSS: '.edgeLabel .label rect { fill: #fff; opacity: 1 }', // Else the line shows through its label.
    sequence: {
        useMaxWidth: false, mirrorActors: false, bottomMarginAdj: 12, diagramMarginX: 8, diagramMarginY: 8,
        width: 80, height: 30, actorMargin: 12, messageMargin: 24, noteMargin: 8,
    },
    state: { useMaxWidth: false },
    flowchart: { htmlLabels: false },
};

const browser = await launch(playwright, executablePath);
const page = await browser.newPage({ viewport: { width: 800, height: 1000 } });
await page.addScriptTag({ path: mermaid });
fs.mkdirSync(screenshots, { recursive: true });
for (const file of fs.readdirSync(folder).filter((file) => file.endsWith('.mmd')).sort()) {
    const name = path.basename(file, '.mmd');
    const source = fs.readFileSync(path.join(folder, file), 'utf8');
    const { drawn, box } = await page.evaluate(async ([settings, id, source]) => {
        mermaid.initialize(settings);
        document.body.innerHTML = (await mermaid.render(id, source)).svg;
        const svg = document.querySelector('svg');
        const { x, y, width, height } = svg.viewBox.baseVal;
        svg.setAttribute('width', width);
        svg.setAttribute('height', height);
        svg.removeAttribute('style');
        // What is for scripts, and symbols that no diagram of ours uses.
        svg.querySelectorAll('*').forEach((element) => Object.keys(element.dataset).forEach((key) => delete element.dataset[key]));
        svg.querySelectorAll('symbol').forEach((symbol) => symbol.remove());
        const drawn = new XMLSerializer().serializeToString(svg).replace(/\d+\.\d{3,}/g, (n) => Number(n).toFixed(2));
        return { drawn, box: { x, y, width, height } };
    }, [SETTINGS, `diagram-${name}`, source]);
    const ground = `<rect x="${box.x}" y="${box.y}" width="${box.width}" height="${box.height}" fill="#fff"/>`;
    const svg = drawn.replace(/^<svg[^>]*>/, (open) => `${open}\n<metadata><![CDATA[${source}]]></metadata>\n${ground}`);
    fs.writeFileSync(path.join(folder, `${name}.svg`), `${svg}\n`);

    const shown = `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`;
    await page.setContent(['#fff', '#161923'].map((ground) => `<p style="background: ${ground}; margin: 0; padding: 1rem">
        <img style="max-width: 100%" src="${shown}"></p>`).join(''));
    await page.locator('img').last().evaluate((image) => image.decode());
    await page.screenshot({ path: path.join(screenshots, `${name}.png`), fullPage: true });
    await page.goto('about:blank');
    await page.addScriptTag({ path: mermaid });
    console.log(`${name}.svg: ${Math.round(box.width)} by ${Math.round(box.height)}, ${Math.ceil(svg.length / 1024)} KiB`);
}
await browser.close();
