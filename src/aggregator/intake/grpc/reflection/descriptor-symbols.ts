import { BinaryReader } from '@bufbuild/protobuf/wire';
import { LENGTH_DELIMITED } from '../proto-fields.ts';

/** Files of a `google.protobuf.FileDescriptorSet`, with the names that each declares. */
export interface DescriptorSymbols {
  /** The full names of the services. */
  readonly services: readonly string[];
  /** An encoded `FileDescriptorProto`, by its name: `megacollector/v1/aggregator.proto`. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** The file that declares a full name: `megacollector.v1.Aggregator.Publish`. */
  readonly fileOfSymbol: ReadonlyMap<string, Uint8Array>;
}

export function descriptorSymbols(set: Uint8Array): DescriptorSymbols {
  const services: string[] = [];
  const files = new Map<string, Uint8Array>();
  const fileOfSymbol = new Map<string, Uint8Array>();
  for (const file of fieldsOf(set).many(1)) {
    const fields = fieldsOf(file);
    const scope = fields.name(PACKAGE);
    files.set(fields.name(NAME), file);
    for (const service of fields.many(SERVICES)) services.push(join(scope, fieldsOf(service).name(NAME)));
    for (const name of namesIn(fields, scope, FILE)) fileOfSymbol.set(name, file);
  }
  return { services, files, fileOfSymbol };
}

const NAME = 1;
const PACKAGE = 2;
const SERVICES = 6;

/** The declarations within a declaration: their field numbers, and what they contain. */
type Contents = readonly { readonly field: number; readonly contents: () => Contents }[];

const leaf = (): Contents => [];
const enumeration = (): Contents => [{ field: 2, contents: leaf }];
const message = (): Contents => [
  { field: 2, contents: leaf },
  { field: 3, contents: message },
  { field: 4, contents: enumeration },
  { field: 8, contents: leaf },
];
const service = (): Contents => [{ field: 2, contents: leaf }];
const FILE: Contents = [
  { field: 4, contents: message },
  { field: 5, contents: enumeration },
  { field: SERVICES, contents: service },
];

function* namesIn(fields: Fields, scope: string, declarations: Contents): Iterable<string> {
  for (const { field, contents } of declarations) {
    for (const bytes of fields.many(field)) {
      const declared = fieldsOf(bytes);
      const name = join(scope, declared.name(NAME));
      yield name;
      yield* namesIn(declared, name, contents());
    }
  }
}

const join = (scope: string, name: string) => (scope === '' ? name : `${scope}.${name}`);

interface Fields {
  many(field: number): readonly Uint8Array[];
  name(field: number): string;
}

/** The length-delimited fields of one message, by their numbers. */
function fieldsOf(bytes: Uint8Array): Fields {
  const found = new Map<number, Uint8Array[]>();
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (type !== LENGTH_DELIMITED) reader.skip(type);
    else found.set(field, [...(found.get(field) ?? []), reader.bytes()]);
  }
  return {
    many: (field) => found.get(field) ?? [],
    name: (field) => Buffer.from(found.get(field)?.[0] ?? []).toString(),
  };
}
