// Every sentence that the scripts say, in the catalogue of all sentences by `make sentences`; the box answers this file
// in its language.
import { counted, say } from "./say.js";

export const SAY = {
  // The box and the network.
  away: say("The box does not answer."),
  awayNext: say("Check that it is on and that this device is in your Wi-Fi, then try again."),
  awayForNow: say("The box does not answer. This page goes on by itself when it is back."),
  failed: say("The box could not do that."),
  failedNext: say("Try again in a moment."),
  lost: say("The connection is lost. This goes on by itself when it is back."),
  tryAgain: say("Try again"),
  cancelled: say("Cancelled."),

  // Adding.
  sendingOf: (place, of, paused) =>
    paused ? say("Paused at {place} of {of}", { place, of }) : say("Sending {place} of {of}", { place, of }),
  nothingAdded: say("Nothing was added"),
  allSent: say("Everything is sent"),
  beingDescribed: (count) => say("{count} being described", { count }),
  described: (count) => say("{count} described", { count }),
  allHere: say("All of this is here already"),
  someHere: (count) => say("{count} here already", { count }),
  needALook: (count) => counted("{count} needs a look", "{count} need a look", count),
  inPart: (names, more) =>
    more ? say("Sent in part: {names} and {more} more.", { names, more }) : say("Sent in part: {names}.", { names }),
  tooLarge: (size, limit) => say("This file has {size}; the box takes up to {limit}.", { size, limit }),
  tooLargeNext: say("Send a shorter or smaller one."),
  empty: say("This file is empty."),
  emptyNext: say("Choose another one."),
  unreadable: say("This device does not give the file out any more."),
  unreadableNext: say("Choose it again: it goes on where it was."),
  sending: (name) => say("Sending {name}", { name }),
  amountOf: (sent, whole) => say("{sent} of {whole}", { sent, whole }),
  paused: say("Paused"),
  pause: say("Pause"),
  goOn: say("Go on"),
  puttingAway: say("Being put away"),
  nextInLine: (size) => say("{size} · next in line", { size }),
  inTheBox: say("In the box. Thank you."),
  waits: say("In the box. Waiting to be described."),
  waitsForLater: say("In the box. It is described later."),
  beingDescribedNow: say("Being described now"),
  notDescribed: say("In the box, but it could not be described."),
  hereSince: (day) => say("Already in the box, since {day}. Nothing to do.", { day }),
  here: say("Already in the box. Nothing to do."),
  lookAt: (name) => say("Look at {name}", { name }),
  takeOff: say("Remove from the list"),
  cancel: say("Cancel"),

  // The library.
  thatIsAll: say("That is all."),
  thatIsAllOf: (count) => say("That is all: {count} photos and videos.", { count }),
  video: say("Video, "),
  notDescribedYet: say(", not described yet"),
  states: {
    pending: say(", waiting to be described"),
    processing: say(", being described"),
    failed: say(", could not be described"),
    completed: "",
  },
  chosen: (count, full) => (full ? say("{count} chosen. No more go at once.", { count }) : say("{count} chosen", { count })),
  choose: say("Tap the pictures"),
  toChooseFrom: say("Pictures to choose from"),
  undo: say("Undo"),
  nothingChanged: say("Nothing had to be changed."),
  changed: {
    favourite: (count) => say("{count} now favourites.", { count }),
    unfavourite: (count) => say("{count} no longer favourites.", { count }),
    trash: (count) => say("{count} put in the trash.", { count }),
    restore: (count) => say("{count} taken out of the trash.", { count }),
    tag: (count) => say("{count} tagged.", { count }),
    untag: (count) => say("{count} no longer tagged.", { count }),
    describe: (count) => say("{count} described again, one after the other.", { count }),
  },
};
