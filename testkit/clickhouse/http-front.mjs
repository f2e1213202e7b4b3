/**
 * A ClickHouse server for tests: the engine of `chdb` with the HTTP interface of ClickHouse, as far as the client
 * uses it. Its data directory survives SIGKILL, as that of a server does.
 *
 *     node http-front.mjs CHDB_DIRECTORY DATA_DIRECTORY PORT [PASSWORD]
 *
 * Prints `listening PORT`. Requests run one after another: the engine has one session. JavaScript, because it
 * runs without a compiler from the tests and from the tools.
 */
import { closeSync, existsSync, mkdirSync, openSync, rmSync, unlinkSync, writeSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

const [, , chdbDirectory, dataDirectory, port, password = ''] = process.argv;
const { Session } = createRequire(resolve(chdbDirectory, 'index.js'))('chdb');
const bodies = join(dataDirectory, 'front');
rmSync(bodies, { recursive: true, force: true });
mkdirSync(bodies, { recursive: true });
/** A server does not write bodies to its disk. Linux keeps this directory in memory. */
const MEMORY = '/dev/shm';
const hasMemory = existsSync(MEMORY) && existsSync('/proc/self/fd');
const session = new Session(join(dataDirectory, 'engine'));

/** Parameters of a request that are not settings. */
const NO_SETTINGS = new Set([
  'query',
  'database',
  'query_id',
  'session_id',
  'session_timeout',
  'session_check',
  'default_format',
  'user',
  'password',
  'role',
  'compress',
  'decompress',
  'enable_http_compression',
  'wait_end_of_query',
  'send_progress_in_http_headers',
  'http_headers_progress_interval_ms',
  'buffer_size',
  // It could not be set back.
  'readonly',
]);

let turn = Promise.resolve();

const server = createServer((request, response) => {
  const body = hasData(request) ? new FileBody() : new TextBody();
  request.on('data', (chunk) => body.add(chunk));
  // A request that ends early is not executed: an INSERT of one block is stored completely or not at all.
  request.on('end', () => {
    if (!request.complete) return;
    turn = turn
      .then(() => handle(request, response, body))
      .catch(() => {})
      .finally(() => body.close());
  });
  request.on('error', () => {});
  request.on('close', () => {
    if (!request.complete) body.close();
  });
});
server.keepAliveTimeout = 10_000;
server.listen(Number(port), '127.0.0.1', () => {
  process.stdout.write(`listening ${server.address().port}\n`);
});

/** Whether the body is the data of an INSERT, of which the statement is in the address. */
function hasData({ url }) {
  return new URL(url, 'http://localhost').searchParams.has('query');
}

/** The engine reads data of a binary format only from a file: the body is written to it as it arrives. */
class FileBody {
  #path = join(hasMemory ? MEMORY : bodies, `mega-collector-${process.pid}-${++requests}`);
  #file = openSync(this.#path, 'w');
  #error;
  #isClosed = false;
  length = 0;

  constructor() {
    if (!hasMemory) return;
    // No file is left when the server is killed.
    unlinkSync(this.#path);
    this.#path = `/proc/self/fd/${this.#file}`;
  }

  add(chunk) {
    this.length += chunk.length;
    if (this.#error !== undefined || this.#isClosed) return;
    try {
      for (let at = 0; at < chunk.length; ) at += writeSync(this.#file, chunk, at);
    } catch (error) {
      this.#error = error;
    }
  }

  path() {
    if (this.#error !== undefined) throw this.#error;
    return this.#path;
  }

  close() {
    if (this.#isClosed) return;
    this.#isClosed = true;
    closeSync(this.#file);
    if (!hasMemory) unlinkSync(this.#path);
  }
}

let requests = 0;

/** A statement. */
class TextBody {
  #chunks = [];

  add(chunk) {
    this.#chunks.push(chunk);
  }

  text() {
    return Buffer.concat(this.#chunks).toString();
  }

  close() {}
}

async function handle(request, response, body) {
  const url = new URL(request.url, 'http://localhost');
  if (url.pathname === '/ping') return response.end('Ok.\n');
  try {
    if (!isAuthenticated(request, url))
      return fail(response, 516, 'Authentication failed: password is incorrect (AUTHENTICATION_FAILED)');
    const answer = await execute(url.searchParams, body);
    response.setHeader('X-ClickHouse-Query-Id', url.searchParams.get('query_id') ?? '');
    response.setHeader('X-ClickHouse-Summary', '{}');
    response.end(answer);
  } catch (error) {
    const code = Number(/Code: (\d+)\./.exec(error.message)?.[1] ?? 1002);
    fail(response, code, error.message.replace(/^Code: \d+\. (?:DB::Exception: )?/, ''));
  }
}

function isAuthenticated(request, url) {
  if (password === '') return true;
  const basic = /^Basic (.*)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
  const given = Buffer.from(basic, 'base64').toString().split(':').slice(1).join(':');
  return [given, request.headers['x-clickhouse-key'], url.searchParams.get('password')].includes(password);
}

const STATUS = { 516: 403, 497: 403, 60: 404, 81: 404, 62: 400, 47: 404, 159: 408 };

function fail(response, code, message) {
  response.statusCode = STATUS[code] ?? 500;
  response.setHeader('X-ClickHouse-Exception-Code', String(code));
  response.end(`Code: ${code}. DB::Exception: ${message} (version 26.7, chdb)\n`);
}

async function execute(parameters, body) {
  const query = parameters.get('query') ?? '';
  const settings = new Map([...parameters].filter(([name]) => !NO_SETTINGS.has(name)));
  await useDatabase(parameters.get('database') ?? 'default');
  await useSettings(settings);
  return await run(query === '' ? body.text() : withData(query, body));
}

let database = '';

async function useDatabase(wanted) {
  if (wanted === database) return;
  await run(`use \`${wanted}\``);
  database = wanted;
}

/** The settings of the session, which are those of the last request. */
let current = new Map();

async function useSettings(wanted) {
  const unset = [...current.keys()].filter((name) => !wanted.has(name) && !name.startsWith('param_'));
  const changed = [...wanted].filter(([name, value]) => current.get(name) !== value);
  const assignments = [
    ...unset.map((name) => `${name} = default`),
    ...changed.map(([name, value]) => `${name} = '${value.replaceAll(/[\\']/g, '\\$&')}'`),
  ];
  if (assignments.length === 0) return;
  current = new Map();
  await run(`set ${assignments.join(', ')}`);
  current = wanted;
}

function withData(text, body) {
  if (body.length === 0) return text;
  return text.replace(/\bformat\s+(\w+)\s*;?\s*$/i, `from infile '${body.path()}' format $1`);
}

async function run(text) {
  const result = await session.queryAsync(text, { format: 'TabSeparated' });
  return Buffer.from(result.bytes());
}
