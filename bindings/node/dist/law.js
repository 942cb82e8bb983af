"use strict";
// What a law's names are, as types: `Engine.open<PazarLaw>(..)` lets the editor find a misspelt action or event.
Object.defineProperty(exports, "__esModule", { value: true });
