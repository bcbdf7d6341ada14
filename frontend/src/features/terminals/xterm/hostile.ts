// For tests: what a hostile program writes to make the terminal act for it. Used by the tests of the whole product too.

const ESC = "\u001b";
const BEL = "\u0007";
const ST = `${ESC}\\`;

/** Sequences that xterm.js would answer, in all their forms. */
export const QUERIES: readonly string[] = [
  ...["c", "0c", ">c", ">0c", "=c"].map((query) => `${ESC}[${query}`),
  ...["5n", "6n", "?6n", "?15n", "?25n", "?26n", "?53n", "?996n"].map((query) => `${ESC}[${query}`),
  ...["4$p", "?1$p", "?25$p", "?1004$p", "?2004$p", "?2026$p"].map((query) => `${ESC}[${query}`),
  ...["11t", "13t", "14t", "14;2t", "15t", "16t", "18t", "19t", "20t", "21t"].map(
    (query) => `${ESC}[${query}`,
  ),
  ...["4;1;?", "4;0;?;1;?;255;?", "10;?", "10;?;?;?", "11;?", "12;?"].flatMap((query) => [
    `${ESC}]${query}${BEL}`,
    `${ESC}]${query}${ST}`,
  ]),
  ...["$qm", '$q"p', "$qr", '$q"q', "$q q", "+q544e", "+q436f"].map((query) => `${ESC}P${query}${ST}`),
  `${ESC}[>q`,
  `${ESC}[>0q`,
  `${ESC}[?u`,
  `${ESC}[x`,
  `${ESC}[1;1;1;1;1;1*y`,
  `${ESC}Z`,
  "\u0005",
  `${ESC}[?1004h`,
  "\u009bc",
  "\u009b6n",
  `\u009d11;?\u009c`,
];

/** Sequences that would act on what is outside of the terminal. */
export const ACTIONS: readonly string[] = [
  `${ESC}]52;c;aG9zdGlsZQ==${BEL}`,
  `${ESC}]52;p;aG9zdGlsZQ==${ST}`,
  `${ESC}]52;c;?${BEL}`,
  `${ESC}]52;;${BEL}`,
  ...["1t", "2t", "3;0;0t", "4;9999;9999t", "8;500;500t", "9;1t", "10;1t", "22;0t", "23;0t"].map(
    (operation) => `${ESC}[${operation}`,
  ),
  `${ESC}]0;title\u202egnp.exe${BEL}`,
  `${ESC}]2;${"x".repeat(5000)}${BEL}`,
  `${ESC}]l\u0007`,
  `${ESC}]1337;SetMark${BEL}`,
  `${ESC}]1337;Copy=:aG9zdGlsZQ==${BEL}`,
  `${ESC}]1337;ReportCellSize${BEL}`,
  `${ESC}]8;;javascript:alert(1)${BEL}click${ESC}]8;;${BEL}`,
  `${ESC}]8;;file:///etc/passwd${BEL}click${ESC}]8;;${BEL}`,
  `${ESC}_private message${ST}`,
  `${ESC}^privacy message${ST}`,
  `${ESC}Pq#0;2;0;0;0#0~~@@vv@@~~@@~~$-${ST}`,
  `${ESC}[?47h${ESC}[?1049h${ESC}[?1049l${ESC}[?47l`,
  `${ESC}[999999999999999;999999999999999H`,
  `${ESC}[${"9;".repeat(2000)}m`,
  `${ESC}[?1000h${ESC}[?1006h${ESC}[?1000l`,
  `${ESC}c`,
];

/** Everything, with words between: also as the halves of sequences that are cut. */
export const HOSTILE = [...QUERIES, ...ACTIONS].map((sequence, index) => `${index}${sequence}`).join("\r\n");
