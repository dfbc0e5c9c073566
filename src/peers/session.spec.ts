import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { FakeChannel } from '../../test/support/fake-channel.js';
import { VirtualClock } from '../../test/support/virtual-clock.js';
import { RuleError } from '../consensus/rule-error.js';
import { WireError, encodeMessage, type Body } from './messages.js';
import { RequestFailedError, Session, type HandlerTable } from './session.js';

const TIP = { length: 1, chainWork: Buffer.from([1]), hash: Buffer.alloc(32) };
const PING: Body = { $case: 'ping', value: { tip: TIP } };
const PONG: Body = { $case: 'pong', value: { tip: TIP } };
const GET_PEERS: Body = { $case: 'getPeers', value: {} };
const GET_BLOCKS: Body = { $case: 'getBlocks', value: { hashes: [], startIndex: 0, limit: 0 } };

function blocks(bytes: number): Body {
  return { $case: 'blocks', value: { blocks: [{ raw: Buffer.alloc(bytes) }] } };
}

describe('Session', () => {
  let clock: VirtualClock;
  let channel: FakeChannel;
  let misbehaved: (WireError | RuleError)[];
  let failed: unknown[];
  let closed: string[];
  let traffic: string[];

  beforeEach(() => {
    clock = new VirtualClock();
    channel = new FakeChannel();
    [misbehaved, failed, closed, traffic] = [[], [], [], []];
  });

  const open = (handlers: HandlerTable = {}): Session => {
    const meter = {
      sent: (kind: string) => void traffic.push(`sent ${kind}`),
      received: (kind: string) => void traffic.push(`received ${kind}`),
      receivedUnknown: (role: string) => void traffic.push(`as ${role}`),
    };
    const session = new Session(channel, clock, meter, {
      misbehaved: (error) => void misbehaved.push(error),
      failed: (error) => void failed.push(error),
      closed: (reason) => void closed.push(reason),
    });
    session.handlers = handlers;
    session.open();
    return session;
  };
  const reasonOf = (promise: Promise<unknown>): Promise<string> =>
    promise.then(
      () => 'answered',
      (error: unknown) => (error instanceof RequestFailedError ? error.reason : String(error)),
    );

  describe('requests', () => {
    it('are matched to their answers by number, in whatever order these come', async () => {
      const session = open();
      const [first, second] = [session.request(PING, 'pong', 1000), session.request(GET_PEERS, 'peers', 1000)];
      expect(channel.sent.map(({ id }) => id)).toEqual([1, 2]);
      channel.deliver({ $case: 'peers', value: { peers: [{ address: 'a:1' }] } }, { inReplyTo: 2 });
      channel.deliver(PONG, { inReplyTo: 1 });
      expect(await second).toEqual({ peers: [{ address: 'a:1' }] });
      expect((await first).tip).toEqual(TIP);
      expect(misbehaved).toEqual([]);
    });

    it('time out, and an answer that comes later is nobody’s fault', async () => {
      const session = open();
      const reason = reasonOf(session.request(PING, 'pong', 1000));
      await clock.advance(999);
      expect(session.isClosed).toBe(false);
      await clock.advance(1);
      expect(await reason).toBe('timeout');
      channel.deliver(PONG, { inReplyTo: 1 });
      expect(misbehaved).toEqual([]);
      expect(closed).toEqual([]);
    });

    it('fail by an answer of another kind, which is blamed', async () => {
      const session = open();
      const reason = reasonOf(session.request(PING, 'pong', 1000));
      channel.deliver(blocks(1), { inReplyTo: 1 });
      expect(await reason).toBe('wrong-answer');
      expect(misbehaved.map(({ code }) => code)).toEqual(['unexpected-message']);
    });

    it('are answered once: a second answer, or one to nothing, is passed over', async () => {
      const session = open();
      const answer = session.request(PING, 'pong', 1000);
      for (const inReplyTo of [1, 1, 77]) channel.deliver(PONG, { inReplyTo });
      await answer;
      expect(misbehaved).toEqual([]);
    });

    it('leave no timer behind when they are answered', async () => {
      const session = open();
      const answer = session.request(PING, 'pong', 1000);
      channel.deliver(PONG, { inReplyTo: 1 });
      await answer;
      expect(clock.pendingTimers).toBe(0);
    });
  });

  describe('messages of the peer', () => {
    it('are answered with what their handler returns, now or later', async () => {
      open({ ping: () => PONG, getPeers: async () => ({ $case: 'peers', value: { peers: [] } }) });
      channel.deliver(GET_PEERS, { id: 5 });
      channel.deliver(PING, { id: 6 });
      await clock.advance(0);
      expect(channel.sent.map(({ inReplyTo, body }) => [inReplyTo, body.$case])).toEqual([
        [6, 'pong'],
        [5, 'peers'],
      ]);
    });

    it('that want no answer get none', async () => {
      open({ ping: () => PONG });
      channel.deliver(PING);
      await clock.advance(0);
      expect(channel.sent).toEqual([]);
    });

    it('of a kind without a handler are blamed, and so are answers that nobody asked for', () => {
      open({ ping: () => PONG });
      channel.deliver(GET_BLOCKS, { id: 1 });
      channel.deliver(blocks(1));
      expect(misbehaved.map(({ code }) => code)).toEqual(['unexpected-message', 'unexpected-message']);
      expect(channel.sent).toEqual([]);
    });

    it('that break a rule are blamed; a fault of our own is not', async () => {
      const fault = new Error('disk full');
      open({
        ping: () => {
          throw new RuleError('high-hash', 'no work');
        },
        getPeers: async () => {
          throw new WireError('oversized-message', 'too many');
        },
        getMempool: async () => {
          throw fault;
        },
        getChainLength: () => {
          throw fault;
        },
      });
      for (const body of [PING, GET_PEERS, { $case: 'getMempool', value: {} } as const])
        channel.deliver(body, { id: 1 });
      channel.deliver({ $case: 'getChainLength', value: {} }, { id: 1 });
      await clock.advance(0);
      expect(misbehaved.map(({ code }) => code)).toEqual(['high-hash', 'oversized-message']);
      expect(failed).toEqual([fault, fault]);
      expect(closed).toEqual([]);
    });

    it('that cannot be read are blamed', () => {
      open({ ping: () => PONG });
      for (const hex of ['ff', '220502']) channel.deliverBytes(Buffer.from(hex, 'hex'));
      expect(misbehaved.map(({ code }) => code)).toEqual(Array(2).fill('malformed-message'));
    });

    it('of any bytes at all never do more than being blamed', () => {
      const codes = new Set<string>();
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
          misbehaved = [];
          open();
          channel.deliverBytes(bytes);
          for (const { code } of misbehaved) codes.add(code);
        }),
        { numRuns: 2_000 },
      );
      expect([...codes].filter((code) => code !== 'malformed-message' && code !== 'unexpected-message')).toEqual([]);
      expect(failed).toEqual([]);
    });
  });

  describe('messages that we do not know', () => {
    const unknown = (id: number, inReplyTo = 0): Uint8Array =>
      Buffer.concat([encodeMessage({ id, inReplyTo, body: undefined }), Buffer.from('fa3e03010203', 'hex')]);

    it('are counted and ignored; requests among them are answered Unsupported', () => {
      open({ ping: () => PONG });
      for (const bytes of [unknown(0), unknown(7), unknown(0, 99), unknown(8, 99)]) channel.deliverBytes(bytes);
      expect(channel.sent).toEqual([{ id: 0, inReplyTo: 7, body: { $case: 'unsupported', value: {} } }]);
      expect(traffic.filter((line) => line.startsWith('as '))).toEqual([
        'as notification',
        'as request',
        'as answer',
        'as answer',
      ]);
      expect(traffic.filter((line) => line === 'received unknown')).toHaveLength(4);
      expect([misbehaved, failed, closed]).toEqual([[], [], []]);
    });

    it('are not even answered when the gate is shut', () => {
      const session = open();
      session.gate = (body) => body !== undefined;
      channel.deliverBytes(unknown(7));
      expect(channel.sent).toEqual([]);
    });

    it('in answer to a request fail it without blame, as Unsupported does', async () => {
      const session = open();
      const reasons = [PING, GET_PEERS].map((body) => reasonOf(session.request(body, 'pong', 1000)));
      channel.deliverBytes(unknown(0, 1));
      channel.deliver({ $case: 'unsupported', value: {} }, { inReplyTo: 2 });
      expect(await Promise.all(reasons)).toEqual(['unsupported', 'unsupported']);
      expect(misbehaved).toEqual([]);
      expect(clock.pendingTimers).toBe(0);
    });
  });

  describe('a body whose feature the peer lacks', () => {
    it('is never sent: to try is a fault of ours', async () => {
      const session = open({ getPeers: () => ({ $case: 'peers', value: { peers: [] } }) });
      session.missingFeature = (kind) => (kind === 'ping' || kind === 'peers' ? 'of-tomorrow' : undefined);
      expect(() => session.notify(PING)).toThrow('ping for a peer without the feature of-tomorrow');
      expect(() => session.request(PING, 'pong', 1000)).toThrow('of-tomorrow');
      channel.deliver(GET_PEERS, { id: 1 });
      expect(failed.map(String)).toEqual(['Error: peers for a peer without the feature of-tomorrow']);
      expect(channel.sent).toEqual([]);
      expect(clock.pendingTimers).toBe(0);
      session.notify(PONG);
      expect(channel.sentKinds).toEqual(['pong']);
    });
  });

  describe('a slow reader', () => {
    it('gets urgent messages before blocks that wait already', () => {
      const session = open();
      channel.takesMore = false;
      session.notify(PING);
      for (const body of [blocks(10), GET_PEERS, blocks(20), PONG]) session.notify(body);
      expect(channel.sentKinds).toEqual(['ping']);
      channel.takesMore = true;
      channel.drain();
      expect(channel.sentKinds).toEqual(['ping', 'getPeers', 'pong', 'blocks', 'blocks']);
    });

    it('is dropped when more waits than one peer may cost', async () => {
      const session = open();
      const reason = reasonOf(session.request(PING, 'pong', 1000));
      channel.takesMore = false;
      session.notify(PING);
      for (let megabytes = 0; megabytes < 40; megabytes++) session.notify(blocks(1024 * 1024));
      expect(closed).toEqual(['peer does not read']);
      expect(channel.isClosed).toBe(true);
      expect(await reason).toBe('closed');
    });

    it('is dropped for too many small messages, too', () => {
      const session = open();
      channel.takesMore = false;
      for (let count = 0; count < 10_100; count++) session.notify(PING);
      expect(closed).toEqual(['peer does not read']);
    });
  });

  describe('the end', () => {
    it('by us says why, fails what waits, and is told once', async () => {
      const session = open();
      const reason = reasonOf(session.request(PING, 'pong', 1000));
      session.close('banned');
      session.close('again');
      channel.end('stream closed');
      expect(channel.sent.at(-1)!.body).toEqual({ $case: 'goodbye', value: { reason: 'banned' } });
      expect(await reason).toBe('closed');
      expect(closed).toEqual(['banned']);
      expect(clock.pendingTimers).toBe(0);
    });

    it('by the transport fails what waits and what comes after', async () => {
      const session = open();
      const waiting = reasonOf(session.request(PING, 'pong', 1000));
      channel.end('connection reset');
      session.close('too late');
      expect(await waiting).toBe('closed');
      expect(await reasonOf(session.request(PING, 'pong', 1000))).toBe('closed');
      expect(closed).toEqual(['connection reset']);
      expect(clock.pendingTimers).toBe(0);
    });

    it('makes it deaf and dumb', async () => {
      let answer: (body: Body) => void = () => {};
      const session = open({ ping: () => PONG, getPeers: () => new Promise((resolve) => (answer = resolve)) });
      channel.deliver(GET_PEERS, { id: 1 });
      channel.takesMore = false;
      session.notify(PING);
      session.notify(blocks(10));
      session.close('enough');
      const sent = channel.sent.length;
      channel.deliver(PING, { id: 2 });
      channel.deliverBytes(Buffer.from('ff', 'hex'));
      channel.drain();
      answer({ $case: 'peers', value: { peers: [] } });
      session.notify(PING);
      await clock.advance(0);
      expect(channel.sent).toHaveLength(sent);
      expect(misbehaved).toEqual([]);
    });

    it('by a handler stops its own answer', () => {
      const session = open({
        ping: () => {
          session.close('not you');
          return PONG;
        },
      });
      channel.deliver(PING, { id: 1 });
      expect(channel.sentKinds).toEqual(['goodbye']);
    });
  });

  it('that is held is not read until it is released as often', () => {
    const session = open();
    session.hold();
    session.hold();
    expect(channel.isPaused).toBe(true);
    session.release();
    expect(channel.isPaused).toBe(true);
    session.release();
    expect(channel.isPaused).toBe(false);
  });

  it('counts messages both ways', () => {
    const session = open({ ping: () => PONG });
    session.notify(GET_PEERS);
    channel.deliver(PING, { id: 1 });
    expect(traffic).toEqual(['sent getPeers', 'received ping', 'sent pong']);
  });
});
