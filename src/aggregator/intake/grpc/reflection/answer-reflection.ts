import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire';
import { GRPC_STATUS } from '../../../../protocols/grpc/grpc-status.ts';
import { AGGREGATOR_DESCRIPTOR } from '../../../../records/gen/megacollector/v1/aggregator-descriptor.ts';
import { firstText, LENGTH_DELIMITED, lengthTag, numberTag } from '../proto-fields.ts';
import { type DescriptorSymbols, descriptorSymbols } from './descriptor-symbols.ts';

let symbols: DescriptorSymbols | undefined;

/**
 * Answers one `ServerReflectionRequest` with a `ServerReflectionResponse`. The messages of `grpc.reflection.v1` and `v1alpha`
 * are the same. Throws if the request is not protobuf.
 */
export function answerReflection(request: Uint8Array): Uint8Array {
  symbols ??= descriptorSymbols(Buffer.from(AGGREGATOR_DESCRIPTOR, 'base64'));
  const { host, field, value } = readRequest(request);
  const answer = ANSWERS.get(field)?.(symbols, value) ?? {
    field: ERROR,
    content: error(GRPC_STATUS.unimplemented, 'The request is of no known kind.'),
  };
  const response = new BinaryWriter();
  response.uint32(lengthTag(1)).string(host);
  response.uint32(lengthTag(2)).bytes(request);
  return response.uint32(lengthTag(answer.field)).bytes(answer.content.finish()).finish();
}

interface Answer {
  readonly field: number;
  readonly content: BinaryWriter;
}

const FILE_DESCRIPTOR = 4;
const SERVICES = 6;
const ERROR = 7;

/** By the field of the request. */
const ANSWERS = new Map<number, (symbols: DescriptorSymbols, value: Uint8Array) => Answer>([
  [3, ({ files }, value) => file(files, textOf(value))],
  [4, ({ fileOfSymbol }, value) => file(fileOfSymbol, textOf(value))],
  // The protocol has no extensions.
  [5, (_, value) => notFound(`an extension of ${firstText(value)}`)],
  [6, (_, value) => notFound(`extensions of ${textOf(value)}`)],
  [7, ({ services }) => ({ field: SERVICES, content: serviceList(services) })],
]);

function file(files: ReadonlyMap<string, Uint8Array>, name: string): Answer {
  const found = files.get(name);
  if (found === undefined) return notFound(name);
  return { field: FILE_DESCRIPTOR, content: new BinaryWriter().uint32(lengthTag(1)).bytes(found) };
}

function notFound(what: string): Answer {
  return { field: ERROR, content: error(GRPC_STATUS.notFound, `Cannot find ${what}.`) };
}

function error(code: number, message: string): BinaryWriter {
  return new BinaryWriter().uint32(numberTag(1)).int32(code).uint32(lengthTag(2)).string(message);
}

function serviceList(services: readonly string[]): BinaryWriter {
  const list = new BinaryWriter();
  for (const name of services)
    list.uint32(lengthTag(1)).bytes(new BinaryWriter().uint32(lengthTag(1)).string(name).finish());
  return list;
}

const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString();

interface Request {
  readonly host: string;
  /** What is requested; 0: nothing. */
  readonly field: number;
  readonly value: Uint8Array;
}

function readRequest(bytes: Uint8Array): Request {
  const reader = new BinaryReader(bytes);
  let host = '';
  let requested: Omit<Request, 'host'> = { field: 0, value: new Uint8Array() };
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (wireType !== LENGTH_DELIMITED) reader.skip(wireType);
    else if (field === 1) host = reader.string();
    else requested = { field, value: reader.bytes() };
  }
  return { host, ...requested };
}
