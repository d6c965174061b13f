import { shell } from "./words/shell.js";
import { build } from "./words/build.js";
import { data } from "./words/data.js";
import { network } from "./words/network.js";
import { step } from "./words/step.js";
import { train } from "./words/train.js";
import { practise } from "./words/practise.js";
import { teach } from "./words/teach.js";
import { read } from "./words/read.js";

/** All text of the interface, in one place; read/ has the pages. */
export const words = { shell, build, data, network, step, train, practise, teach, read };
