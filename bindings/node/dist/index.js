"use strict";
// H-OS for Node: what the package offers.
Object.defineProperty(exports, "__esModule", { value: true });
exports.Uid = exports.Ext = exports.Tenant = exports.StoreError = exports.RetryError = exports.OutcomeUnknownError = exports.LawError = exports.InternalError = exports.HosError = exports.Denied = exports.ClosedError = exports.CallError = exports.AbsentError = exports.Engine = exports.Directory = exports.Answer = exports.Actor = void 0;
/// <reference lib="esnext.disposable" preserve="true" />
var actor_1 = require("./actor");
Object.defineProperty(exports, "Actor", { enumerable: true, get: function () { return actor_1.Actor; } });
var answer_1 = require("./answer");
Object.defineProperty(exports, "Answer", { enumerable: true, get: function () { return answer_1.Answer; } });
var directory_1 = require("./directory");
Object.defineProperty(exports, "Directory", { enumerable: true, get: function () { return directory_1.Directory; } });
var engine_1 = require("./engine");
Object.defineProperty(exports, "Engine", { enumerable: true, get: function () { return engine_1.Engine; } });
var errors_1 = require("./errors");
Object.defineProperty(exports, "AbsentError", { enumerable: true, get: function () { return errors_1.AbsentError; } });
Object.defineProperty(exports, "CallError", { enumerable: true, get: function () { return errors_1.CallError; } });
Object.defineProperty(exports, "ClosedError", { enumerable: true, get: function () { return errors_1.ClosedError; } });
Object.defineProperty(exports, "Denied", { enumerable: true, get: function () { return errors_1.Denied; } });
Object.defineProperty(exports, "HosError", { enumerable: true, get: function () { return errors_1.HosError; } });
Object.defineProperty(exports, "InternalError", { enumerable: true, get: function () { return errors_1.InternalError; } });
Object.defineProperty(exports, "LawError", { enumerable: true, get: function () { return errors_1.LawError; } });
Object.defineProperty(exports, "OutcomeUnknownError", { enumerable: true, get: function () { return errors_1.OutcomeUnknownError; } });
Object.defineProperty(exports, "RetryError", { enumerable: true, get: function () { return errors_1.RetryError; } });
Object.defineProperty(exports, "StoreError", { enumerable: true, get: function () { return errors_1.StoreError; } });
var tenant_1 = require("./tenant");
Object.defineProperty(exports, "Tenant", { enumerable: true, get: function () { return tenant_1.Tenant; } });
var values_1 = require("./values");
Object.defineProperty(exports, "Ext", { enumerable: true, get: function () { return values_1.Ext; } });
Object.defineProperty(exports, "Uid", { enumerable: true, get: function () { return values_1.Uid; } });
