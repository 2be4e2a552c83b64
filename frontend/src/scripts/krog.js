// What every page gets: htmx for pieces of pages, live values, and small aids. Pages read and report without any of it.
import "./htmx.js";
import { follow } from "./live.js";
import { fold, focusErrors, maps, places, reachScrollers, sortTables, submitOnChange } from "./aids.js";
import { sheets } from "./sheet.js";

follow(document);
fold(document);
focusErrors(document);
submitOnChange(document);
sortTables(document);
reachScrollers(document);
places(document);
maps(document);
sheets(document);
document.addEventListener("htmx:afterSwap", (event) => {
  follow(document);
  sortTables(event.target);
  reachScrollers(event.target);
});
