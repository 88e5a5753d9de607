"""Has the official clients of OpenAI and Anthropic for Python speak to a Forge 1 with simulated vendors. Only base URL and key are changed."""

import asyncio
import base64
import hashlib
import json
import os
import sys
import urllib.request

import anthropic
import openai

URL, KEY = os.environ["FORGE_URL"], os.environ["FORGE_KEY"]
oai = openai.OpenAI(base_url=URL + "/v1", api_key=KEY, max_retries=0)
ant = anthropic.Anthropic(base_url=URL, api_key=KEY, max_retries=0)
MODELS = ["openai/gpt-4o-mini", "claude/claude-sonnet-4-5", "gemini/gemini-2.5-flash", "openrouter/openai/gpt-4o-mini"]
THINKERS = ["openai/gpt-5-mini", "claude/claude-sonnet-4-5", "gemini/gemini-3-pro-preview", "openrouter/anthropic/claude-sonnet-4.5"]
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False}
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PDF = base64.b64encode(b"%PDF-1.4\n%%EOF\n").decode()
SOUND = base64.b64encode(b"RIFF\0\0\0\0WAVE").decode()
HI = [{"role": "user", "content": "hi"}]
failed = 0


def check(name, run, *args):
    global failed
    try:
        run(*args)
        print("ok  ", name)
    except Exception as e:  # every failure is told, and the rest goes on
        failed += 1
        print("FAIL", name, type(e).__name__, e)


def raises(kind, run, *args, **kwargs):
    try:
        run(*args, **kwargs)
    except kind as e:
        return e
    raise AssertionError(f"nothing was raised, want {kind.__name__}")


def user(text):
    return [{"role": "user", "content": text}]


def given(data):
    """How the simulated vendors show that something reached them whole."""
    return "sha256:" + hashlib.sha256(data.encode()).hexdigest()[:16]


def chat(model):
    r = oai.chat.completions.create(model=model, messages=user("[sim:say=a plain answer]"))
    assert r.choices[0].message.content == "a plain answer", r
    assert r.choices[0].finish_reason == "stop", r
    assert r.usage.total_tokens == r.usage.prompt_tokens + r.usage.completion_tokens, r.usage


def chat_stream(model):
    text, usage, finish = "", None, None
    for c in oai.chat.completions.create(
        model=model, stream=True, stream_options={"include_usage": True}, messages=user("[sim:say=a streamed answer]")
    ):
        if c.choices:
            text += c.choices[0].delta.content or ""
            finish = c.choices[0].finish_reason or finish
        usage = c.usage or usage
    assert text == "a streamed answer" and finish == "stop" and usage.total_tokens > 0, (text, finish, usage)


def chat_tools(model):
    messages, turns = user("[sim:agent=3]"), 0
    tools = [{"type": "function", "function": {"name": "get_weather", "description": "The weather of a city", "parameters": PARAMETERS}}]
    while True:
        m = oai.chat.completions.create(model=model, messages=messages, tools=tools).choices[0].message
        messages.append(m.model_dump(exclude_none=True))
        if not m.tool_calls:
            break
        turns += 1
        assert turns < 5, "it goes on calling"
        for c in m.tool_calls:
            messages.append({"role": "tool", "tool_call_id": c.id, "content": "sunny in " + json.loads(c.function.arguments)["city"]})
    assert turns == 3 and m.content, (turns, m)


def chat_schema(model):
    r = oai.chat.completions.create(
        model=model, messages=user("Where?"),
        response_format={"type": "json_schema", "json_schema": {"name": "place", "schema": PARAMETERS, "strict": True}},
    )
    assert isinstance(json.loads(r.choices[0].message.content)["city"], str), r


def chat_image(model):
    content = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64," + PIXEL}}]
    said = oai.chat.completions.create(model=model, messages=user(content)).choices[0].message.content
    assert "an image (image/png, " + given(PIXEL) in said, said


def chat_file(model):
    content = [{"type": "text", "text": "Sum it up."}, {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64," + PDF}}]
    said = oai.chat.completions.create(model=model, messages=user(content)).choices[0].message.content
    assert "a file (application/pdf, " + given(PDF) in said, said


def responses_media(model):
    r = oai.responses.create(model=model, input=user([
        {"type": "input_text", "text": "What are they?"}, {"type": "input_image", "image_url": "data:image/png;base64," + PIXEL, "detail": "auto"},
        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64," + PDF},
    ]))
    assert given(PIXEL) in r.output_text and given(PDF) in r.output_text, r


def responses_schema(model):
    r = oai.responses.create(model=model, input="Where?", text={"format": {"type": "json_schema", "name": "place", "schema": PARAMETERS, "strict": True}})
    assert isinstance(json.loads(r.output_text)["city"], str), r


def messages_media(model):
    r = ant.messages.create(model=model, max_tokens=2048, messages=user([
        {"type": "text", "text": "What are they?"}, {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}},
        {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": PDF}},
    ]))
    said = "".join(b.text for b in r.content if b.type == "text")
    assert given(PIXEL) in said and given(PDF) in said, said


def messages_schema(model):
    r = ant.messages.create(model=model, max_tokens=2048, messages=user("Where?"), output_config={"format": {"type": "json_schema", "schema": PARAMETERS}})
    assert isinstance(json.loads("".join(b.text for b in r.content if b.type == "text"))["city"], str), r


def messages_cancel(model):
    with ant.messages.create(model=model, max_tokens=4096, stream=True, messages=user("[sim:bytes=100000]")) as s:
        for n, _ in enumerate(s):
            if n == 3:
                break
    assert n == 3


def sounds():
    content = [{"type": "text", "text": "What do you hear?"}, {"type": "input_audio", "input_audio": {"data": SOUND, "format": "wav"}}]
    for model in ("openai/gpt-audio", "gemini/gemini-2.5-flash"):
        said = oai.chat.completions.create(model=model, messages=user(content)).choices[0].message.content
        assert "an audio (audio/wav, " + given(SOUND) in said, (model, said)
    refused = raises(openai.UnprocessableEntityError, oai.chat.completions.create, model="claude/claude-sonnet-4-5", messages=user(content))
    assert refused.param == "messages[0].content[1]", refused


async def many():
    """Many calls at once by the clients that do not block, and one that is given up."""
    o = openai.AsyncOpenAI(base_url=URL + "/v1", api_key=KEY, max_retries=0)
    a = anthropic.AsyncAnthropic(base_url=URL, api_key=KEY, max_retries=0)

    async def chat(model, n):
        r = await o.chat.completions.create(model=model, messages=user(f"[sim:say=number {n}]"))
        assert r.choices[0].message.content == f"number {n}", r

    async def message(model, n):
        async with a.messages.stream(model=model, max_tokens=2048, messages=user(f"[sim:say=number {n}]")) as s:
            assert await s.get_final_text() == f"number {n}", n

    await asyncio.gather(*(ask(m, n) for n in range(5) for m in MODELS for ask in (chat, message)))
    given_up = asyncio.create_task(o.chat.completions.create(model=MODELS[0], messages=HI))
    given_up.cancel()
    try:
        await given_up
    except asyncio.CancelledError:
        pass
    else:
        raise AssertionError("it was not given up")
    await o.close()
    await a.close()


def at_once():
    asyncio.run(many())


def chat_cancel(model):
    with oai.chat.completions.create(model=model, stream=True, messages=user("[sim:bytes=100000]")) as s:
        for n, _ in enumerate(s):
            if n == 3:
                break
    assert n == 3


def responses_tools(model):
    tools = [{"type": "function", "name": "get_weather", "description": "The weather of a city", "parameters": PARAMETERS, "strict": True}]
    r, turns = oai.responses.create(model=model, input="[sim:agent=2]", tools=tools), 0
    while calls := [i for i in r.output if i.type == "function_call"]:
        turns += 1
        assert turns < 4, "it goes on calling"
        r = oai.responses.create(model=model, tools=tools, previous_response_id=r.id, input=[
            {"type": "function_call_output", "call_id": c.call_id, "output": "sunny in " + json.loads(c.arguments)["city"]} for c in calls
        ])
    assert turns == 2 and r.output_text, (turns, r)
    assert oai.responses.retrieve(r.id).id == r.id
    oai.responses.delete(r.id)
    raises(openai.NotFoundError, oai.responses.retrieve, r.id)


def responses_stream(model):
    text, done = "", None
    for n, e in enumerate(oai.responses.create(model=model, input="[sim:say=streamed by responses]", stream=True)):
        assert e.sequence_number == n, e
        if e.type == "response.output_text.delta":
            text += e.delta
        if e.type == "response.completed":
            done = e.response
    assert text == "streamed by responses" == done.output_text, (text, done)


def messages_tools(model):
    messages, turns = user("[sim:agent=3]"), 0
    tools = [{"name": "get_weather", "description": "The weather of a city", "input_schema": PARAMETERS}]
    while True:
        with ant.messages.stream(
            model=model, max_tokens=4096, thinking={"type": "enabled", "budget_tokens": 1024}, messages=messages, tools=tools
        ) as s:
            r = s.get_final_message()
        messages.append({"role": "assistant", "content": [b.model_dump(exclude_none=True) for b in r.content]})
        calls = [b for b in r.content if b.type == "tool_use"]
        if not calls:
            break
        turns += 1
        assert turns < 5 and r.stop_reason == "tool_use", (turns, r)
        messages.append({"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": c.id, "content": "sunny in " + c.input["city"]} for c in calls
        ]})
    assert turns == 3 and r.stop_reason == "end_turn" and r.usage.output_tokens > 0, (turns, r)


def messages_whole(model):
    r = ant.messages.create(model=model, max_tokens=2048, messages=user("[sim:say=a message]"))
    assert "".join(b.text for b in r.content if b.type == "text") == "a message", r
    assert ant.messages.count_tokens(model=model, messages=user("How many?")).input_tokens > 0


def embeddings():
    for model in ["text-embedding-3-small", "gemini/gemini-embedding-001"]:
        r = oai.embeddings.create(model=model, input=["one", "two"])
        f = oai.embeddings.create(model=model, input="one", encoding_format="float")
        assert len(r.data) == 2 and abs(f.data[0].embedding[0] - r.data[0].embedding[0]) < 1e-6, model


def errors():
    wrong = openai.OpenAI(base_url=URL + "/v1", api_key="wrong", max_retries=0)
    raises(openai.AuthenticationError, wrong.chat.completions.create, model="auto", messages=HI)
    assert raises(openai.NotFoundError, oai.chat.completions.create, model="unheard-of", messages=HI).code == "model_not_found"
    raises(openai.UnprocessableEntityError, oai.embeddings.create, model="auto", input="x")
    raises(openai.BadRequestError, oai.responses.create, model="auto")
    raises(anthropic.NotFoundError, ant.messages.create, model="unheard-of", max_tokens=1, messages=HI)
    raises(anthropic.APIStatusError, ant.messages.create, model="auto", max_tokens=0, messages=HI)
    wrong = anthropic.Anthropic(base_url=URL, api_key="wrong", max_retries=0)
    raises(anthropic.AuthenticationError, wrong.messages.create, model="auto", max_tokens=9, messages=HI)


def broken():
    for model in MODELS:
        text = ""
        try:
            for c in oai.chat.completions.create(model=model, stream=True, messages=user("[sim:error]")):
                text += c.choices[0].delta.content or "" if c.choices else ""
        except openai.APIError:
            assert text, model
        else:
            raise AssertionError("chat at " + model + " was not told")
        try:
            for _ in ant.messages.create(model=model, max_tokens=2048, stream=True, messages=user("[sim:error]")):
                pass
        except anthropic.APIStatusError as e:
            assert e.body["type"] == "error", e.body
        else:
            raise AssertionError("messages at " + model + " was not told")


def behave(**how):
    for vendor in ("openai", "anthropic", "gemini", "openrouter"):
        urllib.request.urlopen(urllib.request.Request(os.environ["FORGE_VENDORS"] + "/_sim/" + vendor, json.dumps(how).encode(), method="PUT")).close()


def vendors_errors():
    behave(fail_rate=1, fail_status=400)
    raises(openai.BadRequestError, oai.chat.completions.create, model="claude/claude-haiku-4-5", messages=HI)
    behave(fail_rate=1, fail_status=429, retry_after=300)
    raises(openai.RateLimitError, oai.responses.create, model="openai/gpt-4.1-mini", input="hi")
    told = raises(anthropic.RateLimitError, ant.messages.create, model="claude/claude-opus-4-1", max_tokens=9, messages=HI)
    assert told.body["error"]["type"] == "rate_limit_error", told.body
    behave(fail_rate=1, fail_status=500)
    raises(openai.InternalServerError, oai.chat.completions.create, model="auto", messages=HI)
    raises(anthropic.InternalServerError, ant.messages.create, model="auto", max_tokens=9, messages=HI)


def models():
    names = [m.id for m in oai.models.list()]
    assert "auto" in names and "openai/gpt-4o-mini" in names


for m in MODELS:
    for f in (chat, chat_stream, chat_tools, chat_schema, chat_image, chat_file, chat_cancel, responses_tools, responses_stream, responses_media, responses_schema):
        check(f.__name__ + " " + m, f, m)
for m in THINKERS:
    for f in (messages_tools, messages_whole, messages_media, messages_schema, messages_cancel):
        check(f.__name__ + " " + m, f, m)
for f in (sounds, at_once, embeddings, errors, broken, models, vendors_errors):
    check(f.__name__, f)
print(f"{failed} failed" if failed else "all passed")
sys.exit(1 if failed else 0)
