// SPDX-License-Identifier: Apache-2.0

export { Inbox } from './inbox.js';
export { Delivery } from './deliveries.js';
export { Channels } from './channels.js';
export { Message, Subscription } from './subscription.js';
export {
  Closed,
  OutcomeUnknown,
  Overflow,
  Refused,
  TimedOut,
  TroupeError,
  Unreachable,
} from './errors.js';
