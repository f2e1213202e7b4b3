import {
  type Server,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServiceDefinition,
  status,
  type UntypedHandleCall,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';

/** A method as it is registered before its service is loaded. */
export interface LazyMethod {
  /** `/grpc.health.v1.Health/Check` */
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
}

/** The target to which services are added: a server, or the collection of a service that was loaded. */
export interface ServiceTarget {
  addService(definition: ServiceDefinition, implementation: UntypedServiceImplementation): void;
}

/**
 * Adds a service that is loaded at its first call, because its package needs memory and most processes never get such a
 * call. Until then messages are bytes.
 */
export function addLazyService(
  server: Server,
  methods: readonly LazyMethod[],
  load: () => Promise<{ addToServer(target: ServiceTarget): void }>,
): void {
  let loading: Promise<ReadonlyMap<string, LoadedMethod>> | undefined;
  const loaded = () => {
    loading ??= load().then(methodsOf);
    return loading;
  };
  const definition = Object.fromEntries(methods.map((method) => [method.path, { ...method, ...AS_BYTES }]));
  const handlers = methods.map(({ path }) => [path, handlerOf(async () => (await loaded()).get(path))]);
  server.addService(definition, Object.fromEntries(handlers) as UntypedServiceImplementation);
}

const same = (bytes: Buffer) => bytes;
const AS_BYTES = {
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same,
};

interface LoadedMethod {
  readonly definition: ServiceDefinition[string];
  readonly handle: UntypedHandleCall;
}

function methodsOf(service: { addToServer(target: ServiceTarget): void }): ReadonlyMap<string, LoadedMethod> {
  const found = new Map<string, LoadedMethod>();
  service.addToServer({
    addService(definition, implementation) {
      for (const [name, method] of Object.entries(definition)) {
        const handle = implementation[name] ?? implementation[method.originalName ?? name];
        if (handle !== undefined) found.set(method.path, { definition: method, handle });
      }
    },
  });
  return found;
}

type BytesCall = ServerUnaryCall<Buffer, Buffer> & ServerDuplexStream<Buffer, Buffer>;
type Callback = (error: object | null, value?: unknown) => void;

/** `callback`: only for a unary method. */
function handlerOf(method: () => Promise<LoadedMethod | undefined>) {
  return (call: BytesCall, callback?: Callback): void => {
    const fail = (error: unknown) => failCall(call, callback, error);
    void method()
      .then((found) => {
        if (found === undefined) throw new Error('the service has no such method');
        // A call that ended while the service was loaded would not report its end again.
        if (call.cancelled) return;
        const { definition } = found;
        const handle = found.handle as (call: BytesCall, callback: Callback | undefined) => void;
        handle(
          decodedCall(call, definition, fail),
          callback &&
            ((error, value) => callback(error, error === null ? definition.responseSerialize(value) : null)),
        );
      })
      .catch(fail);
  };
}

function failCall(call: BytesCall, callback: Callback | undefined, error: unknown): void {
  const failure = { code: status.INTERNAL, details: error instanceof Error ? error.message : String(error) };
  if (callback !== undefined) callback(failure);
  else call.emit('error', failure);
}

/** The call with messages of the service instead of bytes. */
function decodedCall(
  call: BytesCall,
  { requestDeserialize, responseSerialize }: ServiceDefinition[string],
  fail: (error: unknown) => void,
): BytesCall {
  const decoding = (listener: (message: unknown) => void) => (bytes: Buffer) => {
    try {
      listener(requestDeserialize(bytes));
    } catch (error) {
      fail(error);
    }
  };
  const replaced: Readonly<Record<string, unknown>> = {
    write: (message: unknown) => call.write(responseSerialize(message)),
    on: (event: string, listener: (value: unknown) => void) =>
      call.on(event, event === 'data' ? decoding(listener) : listener),
  };
  return new Proxy(call, {
    get(target, key) {
      if (key === 'request') return requestDeserialize(target.request);
      if (typeof key === 'string' && Object.hasOwn(replaced, key)) return replaced[key];
      const value: unknown = Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
