// Responses for the fuzz test, from a grammar: valid ones of every framing, near-valid ones, and mutations of both. The
// same seed and number give the same case on every machine.

import { Chance } from "../chance.ts";

export interface Case {
  isHead: boolean;
  /** One byte a character. */
  text: string;
  /** Where the bytes are cut into pieces, in ascending order. */
  cuts: number[];
}

// The parts of a response; what is rare or wrong stands in the lists called odd.
const statuses = split("200|200|200|204|304|404|500|206");
const oddStatuses = split("099|000|101|199|599|600|999|20|2000|2x0|");
const reasons = split(" OK| || Not Found| caf\xe9\t!");
const oddReasons = split("\tx| \x01| a\x7f|x|:");
const oddVersions = split("HTTP/1.0|HTTP/1.0|HTTP/1.0|HTTP/1.2|HTTP/2.0|HTTP/0.9|http/1.1|HTTP/1.|HTTQ/1.1");
const oddLineEnds = split("\r\n|\r\n|\r\n|\n|\r|\r\r\n|");
const names = split("Server|Date|ETag|X-Long-Name-Of-A-Field|c|Connectio|Content-Lengt_|Set-Cookie|~!#$%&'*+-.^_`");
const oddNames = split('|A B|A |\xe9|A(|A\0|"A"|Content-Length |Proxy-Connection|Upgrade');
const values = split('nginx/1.26.3||Tue, 14 Oct 2025 12:00:00 GMT|"67a34638-264"|a:b|\xff\xfe|a\tb| x |websocket');
const oddValues = split("a\0b|a\rb|a\x1fb|a\x7fb|a\r\n b|\r\n\tb|a\n b|a\r\n \r\n b");
const lengths = split("0|1|5|13|007|13 | 5");
const oddLengths = split(
  "|-1|+1|5x|0x5|5, 5|5,6|5,|,5|5 5|5\r\n |\r\n 5|9007199254740991|9007199254740992|18446744073709551616|5;a|5\t|1e1",
);
const codings = split("chunked|chunked|chunked|CHUNKED| chunked\t");
const oddCodings = split(
  "|gzip|gzip, chunked|chunked, gzip|chunked, chunked|chunked,|, chunked|chunked;q=1|chunke|xchunked|chunked x|identity|\r\n chunked|chunked\r\n ",
);
const options = split(
  "keep-alive|keep-alive|close|Close|Keep-Alive|foo, close|close, foo|keep-alive, close|upgrade|closed|clos||,|close\t,x|keep-alive,\r\n close|x close|close;a|keep-aliv",
);
const bodies = split(`|x|hello|HTTP/1.1 200 OK\r\n\r\n|\r\n0\r\n\r\n|\0\xff\r\n|${"0123456789abcdef".repeat(8)}`);
const extensions = split('||;a|;a=b|;a="b;c"|;a="\\"";d');
const oddExtensions = split(' ;a|; a|;|;;|;a=|;a="b|;a b|;a=\x01|\t| | x|;\xff|;a =b');
const oddSizes = split(
  "|g|-1|0x1|1fffffffffffff|20000000000000|ffffffffffffffff|10000000000000000| 1|00000000000000000001",
);
const spaces = split(" | | ||\t|  ");
const trailers = split("Content-Length: 7\r\n|Transfer-Encoding: chunked\r\n|Connection: close\r\n");
const alphabet = split('\r|\n|\r\n| |\t|\0|:|,|;|0|1|a|F|=|"|\\|\x7f|\x80|\xff|\r\n\r\n|\r\n ');

function split(list: string): string[] {
  return list.split("|");
}

export function responseCase(seed: number, index: number): Case {
  const chance = new Chance(seed, index);
  const isHead = chance.oneIn(8);
  let text = "";
  while (chance.oneIn(8)) text += new Writer(chance).interim();
  text += new Writer(chance).final(isHead);
  if (chance.oneIn(8)) text += chance.pick([...alphabet, text, "HTTP/1.1 200 OK\r\n\r\n"]);
  for (let rest = chance.pick([0, 0, 0, 1, 1, 2, 4]); rest > 0; rest--) text = mutate(chance, text);
  if (chance.oneIn(6)) text = text.slice(0, chance.below(text.length + 1));
  if (chance.oneIn(400)) text = junk(chance);
  const cuts = Array.from({ length: chance.pick([1, 1, 2, 5, text.length]) }, () => chance.below(text.length + 1));
  return { isHead, text, cuts: cuts.sort((a, b) => a - b) };
}

/** Writes one response of a certain kind. */
class Writer {
  readonly #chance: Chance;
  /** One part in so many is odd. */
  readonly #oddIn: number;
  readonly #lineEnd: string;

  constructor(chance: Chance) {
    this.#chance = chance;
    this.#oddIn = chance.oneIn(3) ? 12 : 1e9;
    this.#lineEnd = chance.oneIn(10) ? "\n" : "\r\n";
  }

  interim(): string {
    const fields = this.#chance.oneIn(2) ? this.#field() : "";
    return `HTTP/1.1 ${this.#chance.pick(["100", "100 Continue", "102 ", "103 Early Hints"])}\r\n${fields}\r\n`;
  }

  /** A response whose body has the framing that its head claims, mostly. */
  final(isHead: boolean): string {
    const chance = this.#chance;
    const hasLength = chance.oneIn(2);
    const isChunked = chance.oneIn(hasLength ? 4 : 2);
    const length = this.#either(lengths, oddLengths);
    const fields = Array.from({ length: chance.below(4) }, () => this.#field());
    if (hasLength) fields.push(this.#line("Content-Length", length));
    if (isChunked) fields.push(this.#line("Transfer-Encoding", this.#either(codings, oddCodings)));
    if (chance.oneIn(2)) fields.push(this.#line("Connection", chance.pick(options)));
    if (chance.oneIn(this.#oddIn) && fields.length > 0) fields.push(chance.pick(fields));
    const first = chance.below(fields.length + 1);
    const version = chance.oneIn(6) ? chance.pick(oddVersions) : "HTTP/1.1";
    const status = `${this.#either(statuses, oddStatuses)}${this.#either(reasons, oddReasons)}`;
    const lines = [...fields.slice(first), ...fields.slice(0, first)].join("");
    const head = `${version} ${status}${this.#end()}${lines}${this.#end()}`;
    if (isHead && !chance.oneIn(10)) return head;
    if (isChunked) return head + this.#chunks();
    if (!hasLength) return head + chance.pick(bodies);
    const bytes = (Number.parseInt(length, 10) || 0) + (chance.oneIn(20) ? chance.below(3) - 1 : 0);
    return head + "0123456789abcdefgh".slice(0, Math.max(0, bytes));
  }

  #chunks(): string {
    const chance = this.#chance;
    const end = () => (chance.oneIn(this.#oddIn) ? chance.pick(oddLineEnds) : "\r\n");
    const extension = () => (chance.oneIn(3) ? this.#either(extensions, oddExtensions) : "");
    let text = "";
    for (let rest = chance.below(4); rest > 0; rest--) {
      const data = chance.pick(bodies) || "z";
      const size = data.length.toString(16).padStart(chance.pick([0, 0, 4]), "0");
      text += `${this.#either([size, size.toUpperCase()], oddSizes)}${extension()}${end()}${data}${end()}`;
    }
    text += `0${extension()}${end()}`;
    while (chance.oneIn(4)) text += chance.oneIn(4) ? chance.pick(trailers) : this.#field();
    return text + this.#end();
  }

  #field(): string {
    return this.#line(this.#either(names, oddNames), this.#either(values, oddValues));
  }

  #line(name: string, value: string): string {
    const written = this.#chance.pick([name, name, name.toLowerCase(), name.toUpperCase()]);
    return `${written}:${this.#chance.pick(spaces)}${value}${this.#end()}`;
  }

  #end(): string {
    return this.#either([this.#lineEnd], oddLineEnds);
  }

  #either(common: readonly string[], odd: readonly string[]): string {
    return this.#chance.pick(this.#chance.oneIn(this.#oddIn) ? odd : common);
  }
}

/** Text with a few bytes inserted, replaced, deleted, doubled or moved. */
function mutate(chance: Chance, text: string): string {
  const at = chance.below(text.length + 1);
  const until = Math.min(text.length, at + 1 + (chance.oneIn(2) ? 0 : chance.below(12)));
  const span = text.slice(at, until);
  const elsewhere = chance.below(text.length + 1);
  switch (chance.below(5)) {
    case 0:
      return text.slice(0, at) + chance.pick(alphabet) + text.slice(at);
    case 1:
      return text.slice(0, at) + chance.pick(alphabet) + text.slice(until);
    case 2:
      return text.slice(0, at) + text.slice(until);
    case 3:
      return text.slice(0, at) + span + text.slice(at);
    default:
      return text.slice(0, elsewhere) + span + text.slice(elsewhere);
  }
}

function junk(chance: Chance): string {
  return String.fromCharCode(...Array.from({ length: chance.below(60) }, () => chance.below(256)));
}
