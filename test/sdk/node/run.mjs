// Has the official clients of OpenAI and Anthropic for Node speak to a Forge 1 with simulated vendors. Only base URL and key are changed.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import OpenAI, { APIError, APIUserAbortError, AuthenticationError, BadRequestError, InternalServerError, NotFoundError, RateLimitError, UnprocessableEntityError } from "openai";
import Anthropic from "@anthropic-ai/sdk";

const url = process.env.FORGE_URL, key = process.env.FORGE_KEY;
const openai = new OpenAI({ baseURL: url + "/v1", apiKey: key, maxRetries: 0 });
const anthropic = new Anthropic({ baseURL: url, apiKey: key, maxRetries: 0 });
const models = ["openai/gpt-4o-mini", "claude/claude-sonnet-4-5", "gemini/gemini-2.5-flash", "openrouter/openai/gpt-4o-mini"];
const thinkers = ["openai/gpt-5-mini", "claude/claude-sonnet-4-5", "gemini/gemini-3-pro-preview", "openrouter/anthropic/claude-sonnet-4.5"];
const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"], additionalProperties: false };
const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const pdf = Buffer.from("%PDF-1.4\n%%EOF\n").toString("base64");
const sound = Buffer.from("RIFF\0\0\0\0WAVE").toString("base64");
// given is how the simulated vendors show that something reached them whole.
const given = (data) => "sha256:" + createHash("sha256").update(data).digest("hex").slice(0, 16);

let failed = 0;
async function check(name, run) {
  try {
    await run();
    console.log("ok   " + name);
  } catch (e) {
    failed++;
    console.log("FAIL " + name + ": " + (e?.message ?? e) + (e?.error ? " " + JSON.stringify(e.error) : ""));
  }
}

for (const model of models) {
  await check("chat " + model, async () => {
    const r = await openai.chat.completions.create({ model, messages: [{ role: "user", content: "[sim:say=a plain answer]" }] });
    assert.equal(r.choices[0].message.content, "a plain answer");
    assert.equal(r.choices[0].finish_reason, "stop");
    assert.equal(r.usage.total_tokens, r.usage.prompt_tokens + r.usage.completion_tokens);
  });
  await check("chat stream " + model, async () => {
    const s = await openai.chat.completions.create({
      model, stream: true, stream_options: { include_usage: true }, messages: [{ role: "user", content: "[sim:say=a streamed answer]" }],
    });
    let text = "", usage, finish;
    for await (const c of s) {
      text += c.choices[0]?.delta?.content ?? "";
      finish = c.choices[0]?.finish_reason ?? finish;
      usage = c.usage ?? usage;
    }
    assert.equal(text, "a streamed answer");
    assert.equal(finish, "stop");
    assert.ok(usage.total_tokens > 0);
  });
  await check("chat tools, three turns " + model, async () => {
    const messages = [{ role: "user", content: "[sim:agent=3]" }];
    const tools = [{ type: "function", function: { name: "get_weather", description: "The weather of a city", parameters } }];
    let turns = 0, r;
    for (;;) {
      r = await openai.chat.completions.create({ model, messages, tools });
      const m = r.choices[0].message;
      messages.push(m);
      if (!m.tool_calls?.length) break;
      turns++;
      for (const c of m.tool_calls) messages.push({ role: "tool", tool_call_id: c.id, content: "sunny in " + JSON.parse(c.function.arguments).city });
      assert.ok(turns < 5, "it goes on calling");
    }
    assert.equal(turns, 3);
    assert.ok(r.choices[0].message.content.length > 0);
  });
  await check("chat schema " + model, async () => {
    const r = await openai.chat.completions.create({
      model, messages: [{ role: "user", content: "Where?" }],
      response_format: { type: "json_schema", json_schema: { name: "place", schema: parameters, strict: true } },
    });
    assert.equal(typeof JSON.parse(r.choices[0].message.content).city, "string");
  });
  await check("chat image " + model, async () => {
    const r = await openai.chat.completions.create({
      model, messages: [{ role: "user", content: [{ type: "text", text: "What is it?" }, { type: "image_url", image_url: { url: "data:image/png;base64," + pixel } }] }],
    });
    assert.match(r.choices[0].message.content, new RegExp("an image \\(image/png, " + given(pixel)));
  });
  await check("chat file " + model, async () => {
    const r = await openai.chat.completions.create({
      model, messages: [{ role: "user", content: [{ type: "text", text: "Sum it up." }, { type: "file", file: { filename: "a.pdf", file_data: "data:application/pdf;base64," + pdf } }] }],
    });
    assert.match(r.choices[0].message.content, new RegExp("a file \\(application/pdf, " + given(pdf)));
  });
  await check("responses image and file " + model, async () => {
    const r = await openai.responses.create({
      model, input: [{ role: "user", content: [
        { type: "input_text", text: "What are they?" }, { type: "input_image", image_url: "data:image/png;base64," + pixel, detail: "auto" },
        { type: "input_file", filename: "a.pdf", file_data: "data:application/pdf;base64," + pdf },
      ] }],
    });
    assert.ok(r.output_text.includes(given(pixel)) && r.output_text.includes(given(pdf)), r.output_text);
  });
  await check("responses schema " + model, async () => {
    const r = await openai.responses.parse({ model, input: "Where?", text: { format: { type: "json_schema", name: "place", schema: parameters, strict: true } } });
    assert.equal(typeof JSON.parse(r.output_text).city, "string");
  });
  await check("chat cancel " + model, async () => {
    const s = await openai.chat.completions.create({ model, stream: true, messages: [{ role: "user", content: "[sim:bytes=100000]" }] });
    let n = 0;
    for await (const _ of s) if (++n === 3) break;
    assert.equal(n, 3);
    s.controller.abort();
    const c = new AbortController();
    c.abort();
    await assert.rejects(openai.chat.completions.create({ model, messages: [{ role: "user", content: "hi" }] }, { signal: c.signal }), APIUserAbortError);
  });
  await check("responses with tools " + model, async () => {
    const tools = [{ type: "function", name: "get_weather", description: "The weather of a city", parameters, strict: true }];
    let r = await openai.responses.create({ model, input: "[sim:agent=2]", tools }), turns = 0;
    for (;;) {
      const calls = r.output.filter((i) => i.type === "function_call");
      if (!calls.length) break;
      turns++;
      assert.ok(turns < 4, "it goes on calling");
      r = await openai.responses.create({
        model, tools, previous_response_id: r.id,
        input: calls.map((c) => ({ type: "function_call_output", call_id: c.call_id, output: "sunny in " + JSON.parse(c.arguments).city })),
      });
    }
    assert.equal(turns, 2);
    assert.ok(r.output_text.length > 0);
    assert.equal((await openai.responses.retrieve(r.id)).id, r.id);
    await openai.responses.delete(r.id);
    await assert.rejects(openai.responses.retrieve(r.id), NotFoundError);
  });
  await check("responses stream " + model, async () => {
    const s = await openai.responses.create({ model, input: "[sim:say=streamed by responses]", stream: true });
    let text = "", done, last = -1;
    for await (const e of s) {
      assert.equal(e.sequence_number, ++last);
      if (e.type === "response.output_text.delta") text += e.delta;
      if (e.type === "response.completed") done = e.response;
    }
    assert.equal(text, "streamed by responses");
    assert.equal(done.output_text ?? done.output.flatMap((i) => i.content ?? []).map((c) => c.text).join(""), text);
  });
}

for (const model of thinkers) {
  await check("messages with thinking and tools " + model, async () => {
    const messages = [{ role: "user", content: "[sim:agent=3]" }];
    const tools = [{ name: "get_weather", description: "The weather of a city", input_schema: parameters }];
    let turns = 0, r;
    for (;;) {
      const s = anthropic.messages.stream({ model, max_tokens: 4096, thinking: { type: "enabled", budget_tokens: 1024 }, messages, tools });
      r = await s.finalMessage();
      messages.push({ role: "assistant", content: r.content });
      const calls = r.content.filter((b) => b.type === "tool_use");
      if (!calls.length) break;
      turns++;
      assert.ok(turns < 5, "it goes on calling");
      assert.equal(r.stop_reason, "tool_use");
      messages.push({ role: "user", content: calls.map((c) => ({ type: "tool_result", tool_use_id: c.id, content: "sunny in " + c.input.city })) });
    }
    assert.equal(turns, 3);
    assert.equal(r.stop_reason, "end_turn");
    assert.ok(r.usage.output_tokens > 0);
  });
  await check("messages whole " + model, async () => {
    const r = await anthropic.messages.create({ model, max_tokens: 2048, messages: [{ role: "user", content: "[sim:say=a message]" }] });
    assert.equal(r.content.filter((b) => b.type === "text").map((b) => b.text).join(""), "a message");
    const seen = await anthropic.messages.create({
      model, max_tokens: 2048, messages: [{ role: "user", content: [
        { type: "text", text: "What are they?" }, { type: "image", source: { type: "base64", media_type: "image/png", data: pixel } },
        { type: "document", source: { type: "base64", media_type: "application/pdf", data: pdf } },
      ] }],
    });
    const said = seen.content.map((b) => b.text ?? "").join("");
    assert.ok(said.includes(given(pixel)) && said.includes(given(pdf)), said);
    const placed = await anthropic.messages.create({
      model, max_tokens: 2048, messages: [{ role: "user", content: "Where?" }], output_config: { format: { type: "json_schema", schema: parameters } },
    });
    assert.equal(typeof JSON.parse(placed.content.map((b) => b.text ?? "").join("")).city, "string");
    const n = await anthropic.messages.countTokens({ model, messages: [{ role: "user", content: "How many?" }] });
    assert.ok(n.input_tokens > 0);
  });
}

for (const model of thinkers) {
  await check("messages cancel " + model, async () => {
    const s = await anthropic.messages.create({ model, max_tokens: 4096, stream: true, messages: [{ role: "user", content: "[sim:bytes=100000]" }] });
    let n = 0;
    for await (const _ of s) if (++n === 4) break;
    assert.equal(n, 4);
    assert.ok(s.controller.signal.aborted);
  });
}
await check("sounds", async () => {
  const ask = (model) => openai.chat.completions.create({
    model, messages: [{ role: "user", content: [{ type: "text", text: "What do you hear?" }, { type: "input_audio", input_audio: { data: sound, format: "wav" } }] }],
  });
  for (const model of ["openai/gpt-audio", "gemini/gemini-2.5-flash"]) assert.ok((await ask(model)).choices[0].message.content.includes("an audio (audio/wav, " + given(sound)), model);
  await assert.rejects(ask("claude/claude-sonnet-4-5"), (e) => e instanceof UnprocessableEntityError && e.param === "messages[0].content[1]");
});
await check("embeddings", async () => {
  for (const model of ["text-embedding-3-small", "gemini/gemini-embedding-001"]) {
    const r = await openai.embeddings.create({ model, input: ["one", "two"] });
    assert.equal(r.data.length, 2);
    assert.ok(r.data[0].embedding.length > 1);
    const f = await openai.embeddings.create({ model, input: "one", encoding_format: "float" });
    assert.ok(Math.abs(f.data[0].embedding[0] - r.data[0].embedding[0]) < 1e-6);
  }
});
await check("typed errors", async () => {
  const hi = [{ role: "user", content: "hi" }];
  await assert.rejects(new OpenAI({ baseURL: url + "/v1", apiKey: "wrong", maxRetries: 0 }).chat.completions.create({ model: "auto", messages: hi }), AuthenticationError);
  await assert.rejects(openai.chat.completions.create({ model: "unheard-of", messages: hi }), (e) => e instanceof NotFoundError && e.code === "model_not_found");
  await assert.rejects(openai.embeddings.create({ model: "auto", input: "x" }), UnprocessableEntityError);
  await assert.rejects(openai.responses.create({ model: "auto" }), (e) => e instanceof APIError && e.status === 400);
  await assert.rejects(anthropic.messages.create({ model: "unheard-of", max_tokens: 1, messages: hi }), Anthropic.NotFoundError);
  await assert.rejects(anthropic.messages.create({ model: "auto", max_tokens: 0, messages: hi }), (e) => e.status === 400 || e.status === 422);
  await assert.rejects(new Anthropic({ baseURL: url, apiKey: "wrong", maxRetries: 0 }).messages.create({ model: "auto", max_tokens: 9, messages: hi }), Anthropic.AuthenticationError);
});
await check("an error in the middle of a stream", async () => {
  for (const model of models) {
    let text = "";
    await assert.rejects(async () => {
      for await (const c of await openai.chat.completions.create({ model, stream: true, messages: [{ role: "user", content: "[sim:error]" }] })) text += c.choices[0]?.delta?.content ?? "";
    }, APIError);
    assert.ok(text.length > 0, model);
    await assert.rejects(async () => {
      for await (const _ of await anthropic.messages.create({ model, max_tokens: 2048, stream: true, messages: [{ role: "user", content: "[sim:error]" }] }));
    }, Anthropic.APIError);
  }
});
await check("models", async () => {
  const names = [];
  for await (const m of openai.models.list()) names.push(m.id);
  assert.ok(names.includes("auto") && names.includes("openai/gpt-4o-mini"));
});

const behave = (vendor, how) => fetch(process.env.FORGE_VENDORS + "/_sim/" + vendor, { method: "PUT", body: JSON.stringify(how) });
await check("errors of the vendors", async () => {
  const hi = [{ role: "user", content: "hi" }];
  const all = (how) => Promise.all(["openai", "anthropic", "gemini", "openrouter"].map((v) => behave(v, how)));
  await all({ fail_rate: 1, fail_status: 400 });
  await assert.rejects(openai.chat.completions.create({ model: "claude/claude-haiku-4-5", messages: hi }), BadRequestError);
  await all({ fail_rate: 1, fail_status: 429, retry_after: 300 });
  await assert.rejects(openai.responses.create({ model: "openai/gpt-4.1-mini", input: "hi" }), RateLimitError);
  await assert.rejects(anthropic.messages.create({ model: "claude/claude-opus-4-1", max_tokens: 9, messages: hi }), (e) => e instanceof Anthropic.RateLimitError && e.error.error.type === "rate_limit_error");
  await all({ fail_rate: 1, fail_status: 500 });
  await assert.rejects(openai.chat.completions.create({ model: "auto", messages: hi }), InternalServerError);
  await assert.rejects(anthropic.messages.create({ model: "auto", max_tokens: 9, messages: hi }), Anthropic.InternalServerError);
});

console.log(failed ? failed + " failed" : "all passed");
process.exit(failed ? 1 : 0);
