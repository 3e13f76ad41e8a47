// SPDX-License-Identifier: Apache-2.0
// Times are milliseconds.

/** One URL (http, https, ws, wss) or several, tried in this order; in a page
 * the default is where it came from. */
export type ServerList = string | readonly string[];

/** Text goes as UTF-8. */
export type Data = string | ArrayBuffer | ArrayBufferView;

export type Json =
  | string
  | number
  | boolean
  | null
  | Json[]
  | { [key: string]: Json };

export type State = 'idle' | 'connecting' | 'open' | 'waiting' | 'closed';

export interface Change {
  state: State;
  /** host:port of the server it is about. */
  server: string;
  /** Why it is waiting or closed. */
  reason?: string;
  /** Inbox, open: something behind the cursor is gone (expired, dropped, or
   * acknowledged elsewhere). */
  gap?: boolean;
}

export interface BackoffOptions {
  /** Of the first wait; doubled for each. Default 100. */
  first?: number;
  /** Default 15000. */
  most?: number;
}

/** How long to wait, and what ends the waiting before. */
export interface Waiting {
  timeout?: number;
  signal?: AbortSignal;
}

declare class Body {
  readonly data: Uint8Array;
  /** UTF-8; what is none becomes U+FFFD. */
  text(): string;
  /** Throws SyntaxError if it is no JSON. */
  json(): any;
}

// --- durable: inboxes --------------------------------------------------------

export interface InboxOptions {
  servers?: ServerList;
  user: string;
  /** Its name is the credential: long and random. */
  device: string;
  /** Register the user with this device if there is none. */
  create?: boolean;
  /** For `create`. */
  aliases?: string | readonly string[];
  /** Where an earlier run of the program stopped; see Inbox.cursor. */
  cursor?: number;
  /** Deliveries that may be unacknowledged at once. Default 32. */
  window?: number;
  /** For requests. Default 30000, at most 540000. */
  timeout?: number;
  /** For a connection and its login. Default 10000. */
  connectTimeout?: number;
  /** Silence after which the server is asked for a sign, 0 for never. Default
   * 20000. */
  keepAlive?: number;
  /** Requests that may wait for answers; above it: Overflow. Default 1024. */
  requestsMax?: number;
  /** And their bytes. Default 16 MiB. */
  requestBytesMax?: number;
  backoff?: BackoffOptions;
  onChange?: (change: Change) => void;
  /** Instead of the runtime's own, or that of the package "ws". */
  WebSocket?: unknown;
}

/** Users on all of their devices, or names by how they are meant. */
export type Recipients =
  | string
  | readonly string[]
  | {
      /** Users, all of their devices. */
      to?: string | readonly string[];
      /** Users, one of their devices. */
      one?: string | readonly string[];
      /** Lists, all members but the sender. */
      list?: string | readonly string[];
      listWithMe?: string | readonly string[];
    };

export interface PingOptions extends Waiting {
  /** Who repeats a message (within ten minutes) under its id posts it once. By
   * default each has its own. */
  id?: string;
  /** A JSON value beside the data. */
  etc?: Json;
  /** Seconds after which it is dropped for those who have not taken it. */
  ttl?: number;
}

export interface PostOptions extends PingOptions {
  /** Default true. */
  copyToOwnDevices?: boolean;
}

export interface Receipt {
  id: string;
  /** A line for each recipient that was not reached. */
  unreached: string[];
}

export class Delivery extends Body {
  readonly id: string;
  readonly kind: 'message' | 'aliases changed' | 'list changed';
  /** The user who sent it. */
  readonly sender: string | undefined;
  /** Undefined if there is none, or if it is no JSON. */
  readonly etc: any;
  readonly etcText: string | undefined;
  /** In the inbox; ascending, with holes. */
  readonly position: number;
  readonly expires: Date | undefined;
  readonly acked: boolean;
  /** This device has it: it does not come again. */
  ack(): void;
}

export class Inbox implements AsyncIterable<Delivery> {
  constructor(options: InboxOptions);
  /** An inbox that is logged in. */
  static open(options: InboxOptions, waiting?: Waiting): Promise<Inbox>;
  readonly state: State;
  /** Up to there everything was acknowledged. */
  readonly cursor: number | undefined;
  /** Resolves with the first login. */
  open(waiting?: Waiting): Promise<void>;
  /** Resolves once it is on stable storage. */
  post(to: Recipients, data?: Data, options?: PostOptions): Promise<Receipt>;
  /** To whoever goes by that alias; etc and data are 4 KiB at most. */
  ping(alias: string, data?: Data, options?: PingOptions): Promise<Receipt>;
  addToList(list: string, user: string, waiting?: Waiting): Promise<void>;
  inviteToList(
    list: string,
    alias: string,
    options?: Waiting & { etc?: Json; data?: Data },
  ): Promise<void>;
  removeFromList(list: string, user: string, waiting?: Waiting): Promise<void>;
  /** Another device, which inherits what this one has not acknowledged. */
  addDevice(device: string, waiting?: Waiting): Promise<void>;
  receive(waiting?: Waiting): Promise<Delivery>;
  [Symbol.asyncIterator](): AsyncGenerator<Delivery, void, void>;
  close(): Promise<void>;
}

// --- ephemeral: channels -----------------------------------------------------

export interface ChannelsOptions {
  servers?: ServerList;
  /** The name as a sender; with the password if the server knows one. */
  user?: string;
  password?: string;
  /** Instead of both: a token of the server's, or a JWT that it takes. */
  token?: string;
  /** "sse" (text/event-stream, the default): with ids, so that it can go on
   * where it was, and heart-beats. "msgbus" (multipart): neither. */
  via?: 'sse' | 'msgbus';
  /** For a publication. Default 30000. */
  timeout?: number;
  /** For the head of a stream. Default 10000. */
  connectTimeout?: number;
  /** Silence after which a stream counts as lost, 0 for never. Default 60000
   * with "sse", else 0. */
  idleTimeout?: number;
  /** Largest message that is received. Default 20 MiB. */
  messageBytesMax?: number;
  /** Publications that may wait; above it: Overflow. Default 1024. */
  publishesMax?: number;
  backoff?: BackoffOptions;
  onChange?: (change: Change) => void;
}

export interface PublishOptions extends Waiting {
  /** Default: text/plain in UTF-8 for a text, else application/octet-stream. */
  type?: string;
}

export interface SubscribeOptions extends Waiting {
  /** Patterns of content types: * and ?, ! in front takes out. */
  types?: string | readonly string[];
  senders?: string | readonly string[];
  /** Begin behind the message of that id, "0" with all there is, as far as the
   * server keeps a history. */
  since?: string;
  onChange?: (change: Change) => void;
}

export class Message extends Body {
  readonly channel: string;
  readonly sender: string | undefined;
  readonly type: string | undefined;
  /** With "sse" only. */
  readonly id: string | undefined;
}

export class Channels {
  constructor(options?: ChannelsOptions);
  /** Resolves once it was handed to all who listen. */
  publish(channel: string, data: Data, options?: PublishOptions): Promise<void>;
  /** Listens already; "" stands for every channel. */
  subscribe(channel: string, options?: SubscribeOptions): Promise<Subscription>;
  close(): Promise<void>;
}

export class Subscription implements AsyncIterable<Message> {
  private constructor();
  readonly state: State;
  /** Id of the last message received, for `since`. */
  readonly cursor: string | undefined;
  receive(waiting?: Waiting): Promise<Message>;
  [Symbol.asyncIterator](): AsyncGenerator<Message, void, void>;
  close(): Promise<void>;
}

// --- errors ------------------------------------------------------------------

export class TroupeError extends Error {}
/** The cluster said no. */
export class Refused extends TroupeError {
  readonly reason: string;
  /** It may say yes later. */
  readonly temporary: boolean;
}
/** No server of the list could be reached; nothing was sent. */
export class Unreachable extends TroupeError {}
/** The connection was lost behind the request: it may have been carried out. */
export class OutcomeUnknown extends TroupeError {}
/** Not answered in time. */
export class TimedOut extends TroupeError {
  /** It may have been, or will be, carried out. */
  readonly sent: boolean;
}
/** A bound of this client was reached; nothing was sent. */
export class Overflow extends TroupeError {}
/** The application has closed it. */
export class Closed extends TroupeError {}
