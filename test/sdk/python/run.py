"""Has the official clients of OpenAI and Anthropic for Python speak to a Forge 1 with simulated vendors. Only base URL and key are changed."""

import json
import os
import sys

import anthropic
import openai

URL, KEY = os.environ["FORGE_URL"], os.environ["FORGE_KEY"]
oai = openai.OpenAI(base_url=URL + "/v1", api_key=KEY, max_retries=0)
ant = anthropic.Anthropic(base_url=URL, api_key=KEY, max_retries=0)
MODELS = ["openai/gpt-4o-mini", "claude/claude-sonnet-4-5", "gemini/gemini-2.5-flash", "openrouter/openai/gpt-4o-mini"]
THINKERS = ["openai/gpt-5-mini", "claude/claude-sonnet-4-5", "gemini/gemini-3-pro-preview", "openrouter/anthropic/claude-sonnet-4.5"]
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False}
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
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
    assert oai.chat.completions.create(model=model, messages=user(content)).choices[0].message.content


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


def models():
    names = [m.id for m in oai.models.list()]
    assert "auto" in names and "openai/gpt-4o-mini" in names


for m in MODELS:
    for f in (chat, chat_stream, chat_tools, chat_schema, chat_image, chat_cancel, responses_tools, responses_stream):
        check(f.__name__ + " " + m, f, m)
for m in THINKERS:
    check("messages_tools " + m, messages_tools, m)
    check("messages_whole " + m, messages_whole, m)
for f in (embeddings, errors, models):
    check(f.__name__, f)
print(f"{failed} failed" if failed else "all passed")
sys.exit(1 if failed else 0)
