import { request as httpRequest } from 'node:http';

/** An answer of JSON-RPC as it came. */
export interface RpcReply {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly json: any;
}

export interface RpcRequestOptions {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** "user:password"; null sends none. */
  readonly auth?: string | null;
}

/** Sends bodies to the JSON-RPC server of a node as tools do, by node:http. */
export class RpcClient {
  constructor(
    readonly port: number,
    private readonly auth: string,
  ) {}

  post(body: unknown, options: RpcRequestOptions = {}): Promise<RpcReply> {
    return this.send(typeof body === 'string' ? body : JSON.stringify(body), options);
  }

  async call(method: string, ...params: readonly unknown[]): Promise<RpcReply> {
    return this.post({ method, params, id: 1 });
  }

  send(body: string | Buffer, options: RpcRequestOptions = {}): Promise<RpcReply> {
    const { method = 'POST', path = '/', headers = {}, auth = this.auth } = options;
    return new Promise((resolve, reject) => {
      const outgoing = httpRequest(
        { host: '127.0.0.1', port: this.port, method, path, headers, agent: false, ...(auth === null ? {} : { auth }) },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          incoming.on('error', reject);
          incoming.on('end', () => {
            const text = Buffer.concat(chunks).toString('utf8');
            const isJson = incoming.headers['content-type'] === 'application/json';
            const json: unknown = isJson ? JSON.parse(text) : undefined;
            resolve({ status: incoming.statusCode!, headers: incoming.headers, text, json });
          });
        },
      );
      outgoing.on('error', reject).end(body);
    });
  }
}
