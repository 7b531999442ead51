// Runs the glTF validator of Khronos over every .glb below a folder and counts what it says, by code.
// Once, anywhere: npm install gltf-validator; then in that folder: node .../bench/check_glb.mjs FOLDER
// Exit status 1 when it finds an error. Node and the validator are needed by nothing else here.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const validator = createRequire(path.join(process.cwd(), 'package.json'))('gltf-validator');
const SEVERITY = ['error', 'warning', 'information', 'hint'];
const counts = new Map();
let files = 0;
for (const entry of fs.readdirSync(process.argv[2], { recursive: true })) {
  if (!entry.endsWith('.glb')) continue;
  const bytes = new Uint8Array(fs.readFileSync(path.join(process.argv[2], entry)));
  const report = await validator.validateBytes(bytes);
  files += 1;
  for (const issue of report.issues.messages) {
    const key = `${SEVERITY[issue.severity]} ${issue.code}`;
    const known = counts.get(key) ?? { count: 0, first: `${entry}: ${issue.message}` };
    counts.set(key, { ...known, count: known.count + 1 });
  }
}
console.log(`${files} files`);
for (const [key, { count, first }] of [...counts].sort()) console.log(`${count} x ${key}; first: ${first}`);
process.exit([...counts.keys()].some((key) => key.startsWith('error')) ? 1 : 0);
