// Writes src/records/gen/ from the .proto files: `npm run generate`. With --check, fails when what is committed is stale.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const committed = join(root, 'src/records/gen');
const check = process.argv.includes('--check');
const out = check ? mkdtempSync(join(tmpdir(), 'mega-collector-gen-')) : committed;
const options = [
  'outputServices=grpc-js',
  'env=node',
  'forceLong=bigint',
  'enumsAsLiterals=true',
  'importSuffix=.ts',
  'esModuleInterop=true',
  'oneof=unions-value',
  'useExactTypes=false',
  'outputJsonMethods=false',
  'outputPartialMethods=false',
  'exportCommonSymbols=false',
  'useMapType=true',
].join(',');
const template = {
  version: 'v2',
  plugins: [{ local: join(root, 'node_modules/.bin/protoc-gen-ts_proto'), out, opt: options }],
};
execFileSync(
  join(root, 'node_modules/.bin/buf'),
  ['generate', '--template', JSON.stringify(template), 'proto'],
  {
    cwd: root,
    stdio: 'inherit',
  },
);

if (check) {
  const files = (directory) =>
    readdirSync(directory, { recursive: true })
      .filter((name) => name.endsWith('.ts'))
      .sort();
  const stale =
    files(out).join() !== files(committed).join() ||
    files(out).some(
      (name) => readFileSync(join(out, name), 'utf8') !== readFileSync(join(committed, name), 'utf8'),
    );
  rmSync(out, { recursive: true });
  if (stale) {
    console.error('src/records/gen is stale: run `npm run generate` and commit the result');
    process.exit(1);
  }
  console.log('generated code is fresh');
}
