"""llm_test.py - the official openai client talks with llm-double, and meets each of its faults."""
import json
import os
import time

import openai
import pydantic

from double import Double, checks

KEY = 'sk-contract'
SCRIPT = os.path.join(os.path.dirname(__file__), 'llm.yaml')
TOOLS = [{'type': 'function', 'function': {
    'name': name, 'description': name,
    'parameters': {'type': 'object', 'properties': {}}}} for name in ('updated_claim', 'end_call')]


class Person(pydantic.BaseModel):
    name: str
    age: int
    tags: list[str]


def user(text):
    return [{'role': 'user', 'content': text}]


def refused(error, call):
    """The error that call raises, which must be of that class."""
    try:
        call()
    except error as raised:
        return raised
    raise AssertionError('it was taken')


def main():
    log = os.path.join(os.environ.get('TMPDIR', '/tmp'), f'contract-llm-{os.getpid()}.log')
    with Double('llm-double', '--script', SCRIPT, '--log', log) as double:
        client = openai.OpenAI(api_key=KEY, base_url=double.url + '/v1', max_retries=0, timeout=10)
        azure = openai.AzureOpenAI(api_key=KEY, azure_endpoint=double.url,
                                   api_version='2024-10-21', max_retries=0)

        def create(text, api=client, **more):
            return api.chat.completions.create(model='nano', messages=user(text), **more)

        def stream(text, **more):
            """The pieces of text, and the last chunk with a choice."""
            pieces, last = [], None
            for chunk in create(text, stream=True, **more):
                if not chunk.choices:
                    continue
                last = chunk
                if chunk.choices[0].delta.content:
                    pieces.append(chunk.choices[0].delta.content)
            return pieces, last

        def an_answer_comes_whole():
            answer = create('it is "me"')
            assert answer.choices[0].message.content == 'Hello, 世界: it is "me"', answer
            assert answer.choices[0].finish_reason == 'stop'
            usage = answer.usage
            assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens > 5, usage

        def an_answer_streams_with_its_usage():
            chunks = list(create('again', stream=True, stream_options={'include_usage': True}))
            text = ''.join(c.choices[0].delta.content or '' for c in chunks if c.choices)
            assert text == 'Hello, 世界: again', text
            assert chunks[0].choices[0].delta.role == 'assistant'
            assert chunks[-1].usage.completion_tokens > 3 and not chunks[-1].choices
            assert len(chunks) > 6

        def a_stream_keeps_its_pace():
            began = time.monotonic()
            times = [time.monotonic() - began for c in create('paced', stream=True)
                     if c.choices and c.choices[0].delta.content]
            assert 0.09 < times[0] < 1 and times[-1] - times[0] > 0.1, times

        def tools_are_called_and_answered(api=client):
            messages = user('my name is Bo "the" Li')
            answer = api.chat.completions.create(model='nano', messages=messages, tools=TOOLS)
            message = answer.choices[0].message
            assert answer.choices[0].finish_reason == 'tool_calls'
            assert message.content == 'One moment.'
            first, second = message.tool_calls
            assert json.loads(first.function.arguments) == {
                'updates': [{'field': 'name', 'value': 'Bo "the" Li'}]}, first
            messages += [message.model_dump(exclude_none=True)]
            error = refused(openai.BadRequestError, lambda: api.chat.completions.create(
                model='nano', messages=messages))
            assert 'tool_call' in str(error), error
            messages += [{'role': 'tool', 'tool_call_id': call.id, 'content': text}
                         for call, text in ((first, 'updated'), (second, 'ended'))]
            answer = api.chat.completions.create(model='nano', messages=messages, tools=TOOLS)
            assert answer.choices[0].message.content == 'Noted: ended', answer

        def tools_stream_in_fragments():
            with client.chat.completions.stream(
                    model='nano', messages=user('my name is Ann'), tools=TOOLS) as events:
                events.until_done()
                message = events.get_final_completion().choices[0].message
            assert [c.function.name for c in message.tool_calls] == ['updated_claim', 'end_call']
            assert json.loads(message.tool_calls[0].function.arguments)['updates'][0]['value'] == 'Ann'

        def a_shape_is_kept():
            parsed = client.chat.completions.parse(
                model='nano', messages=user('who?'),
                response_format={'type': 'json_schema', 'json_schema': {
                    'name': 'person', 'schema': Person.model_json_schema()}})
            Person.model_validate_json(parsed.choices[0].message.content)

        def azure_is_asked_in_its_way():
            assert create('x', api=azure).choices[0].message.content == 'Hello, 世界: x'
            chunks = list(create('x', api=azure, stream=True))
            assert not chunks[0].choices  # the prompt's filter result comes first
            tools_are_called_and_answered(azure)
            refused(openai.NotFoundError, lambda: azure.chat.completions.create(
                model='other', messages=user('x')))

        def models_are_listed():
            assert [m.id for m in client.models.list()] == ['nano', 'large']
            assert client.models.retrieve('large').id == 'large'
            refused(openai.NotFoundError, lambda: client.models.retrieve('other'))

        def embeddings_are_vectors_of_the_words():
            texts = ['the roof is damaged by hail', 'hail damaged the roof', 'a lost key']
            for api in (client, azure):
                found = api.embeddings.create(model='nano', input=texts, dimensions=128)
                one, two, three = (d.embedding for d in found.data)
                dot = lambda a, b: sum(x * y for x, y in zip(a, b))
                assert len(one) == 128 and abs(dot(one, one) - 1) < 1e-5, dot(one, one)
                assert dot(one, two) > 0.6 > 0.3 > dot(one, three), (dot(one, two), dot(one, three))
            plain = client.embeddings.create(model='nano', input=texts[0], encoding_format='float')
            assert len(plain.data[0].embedding) == 64 and plain.usage.prompt_tokens > 5
            coded = client.embeddings.create(model='nano', input=texts[0])  # base64 on the wire
            gap = max(abs(a - b) for a, b in zip(plain.data[0].embedding, coded.data[0].embedding))
            assert gap < 1e-6, gap
            refused(openai.BadRequestError,
                    lambda: client.embeddings.create(model='nano', input=['']))

        def a_wrong_key_is_refused():
            other = openai.OpenAI(api_key='sk-other', base_url=double.url + '/v1', max_retries=0)
            refused(openai.AuthenticationError, lambda: create('x', api=other))

        def what_openai_refuses_is_refused():
            wrong = (
                {'messages': []},
                {'messages': [{'role': 'robot', 'content': 'x'}]},
                {'messages': [{'role': 'tool', 'tool_call_id': 'a', 'content': 'x'}]},
                {'messages': user('x'), 'tools': []},
                {'messages': user('x'), 'tool_choice': 'auto'},
                {'messages': user('x'), 'temperature': 3},
                {'messages': user('x'), 'max_tokens': 0},
                {'messages': user('x'), 'stream_options': {'include_usage': True}},
                {'messages': user('x'), 'response_format': {'type': 'json_object'}},
                {'messages': user('x'), 'tools': [{'type': 'function', 'function': {
                    'name': 'no name', 'parameters': {'type': 'object'}}}]},
            )
            for more in wrong:
                refused(openai.BadRequestError,
                        lambda: client.chat.completions.create(model='nano', **more))

        def a_limit_of_tokens_cuts():
            pieces, last = stream('length', max_tokens=3)
            assert ''.join(pieces) == 'one two three' and last.choices[0].finish_reason == 'length'

        def a_slow_first_token_times_out():
            patient = client.with_options(timeout=0.3)
            refused(openai.APITimeoutError, lambda: create('slow', api=patient, stream=True))

        def a_stall_times_out_in_the_middle():
            patient, said = client.with_options(timeout=0.5), []
            def read():
                for chunk in create('stall', api=patient, stream=True):
                    said.append(chunk.choices[0].delta.content or '')
            refused(Exception, read)
            assert ''.join(said) == 'one two', said

        def a_rate_limit_names_its_time():
            error = refused(openai.RateLimitError, lambda: create('limited'))
            assert error.response.headers['retry-after-ms'] == '300'
            assert create('limited').choices[0].message.content == 'at last'

        def a_server_error_is_one():
            assert refused(openai.InternalServerError, lambda: create('ill')).status_code == 500

        def a_reset_comes_after_half_a_sentence():
            said = []
            def read():
                for chunk in create('reset', stream=True):
                    said.append(chunk.choices[0].delta.content or '')
            refused(Exception, read)
            assert ''.join(said) == 'one two', said

        def garbage_is_no_answer():
            refused(Exception, lambda: stream('garbage'))
            refused(openai.APIError, lambda: stream('broken'))

        def a_line_of_a_megabyte_comes_whole():
            pieces, _ = stream('huge')
            assert max(map(len, pieces)) >= 1048575, max(map(len, pieces))

        def an_answer_may_be_empty_or_truncated():
            pieces, last = stream('empty')
            assert not pieces and last.choices[0].finish_reason == 'stop'
            call = create('truncated').choices[0].message.tool_calls[0]
            assert call.function.arguments == '{"a"', call

        def filters_refuse_the_prompt_or_stop_the_answer():
            error = refused(openai.BadRequestError, lambda: create('forbidden', api=azure))
            assert error.code == 'content_filter', error
            pieces, last = stream('stopped')
            assert pieces == ['I', ' would']
            assert last.choices[0].finish_reason == 'content_filter'

        def a_rule_that_is_used_up_applies_no_more():
            assert create('unknown-to-all').choices[0].message.content == 'once'
            assert refused(openai.BadRequestError,
                           lambda: create('unknown-to-all')).code == 'no_rule'

        def the_log_tells_what_was_asked():
            with open(log, encoding='utf-8') as file:
                lines = [json.loads(line) for line in file]
            asked = [line for line in lines if line['event'] == 'request']
            assert asked[0]['path'] == '/v1/chat/completions' and asked[0]['auth'] == 'bearer'
            assert asked[0]['body']['messages'] == user('it is "me"')
            assert any(line['auth'] == 'api-key' and line['model'] == 'nano' for line in asked)
            assert KEY not in json.dumps(lines)
            assert {line['how'] for line in lines if line['event'] == 'end'} >= {
                'whole', 'cancelled', 'reset', 'closed'}

        checks([an_answer_comes_whole, an_answer_streams_with_its_usage, a_stream_keeps_its_pace,
                tools_are_called_and_answered, tools_stream_in_fragments, a_shape_is_kept,
                azure_is_asked_in_its_way, models_are_listed, embeddings_are_vectors_of_the_words,
                a_wrong_key_is_refused, what_openai_refuses_is_refused, a_limit_of_tokens_cuts,
                a_slow_first_token_times_out, a_stall_times_out_in_the_middle,
                a_rate_limit_names_its_time, a_server_error_is_one,
                a_reset_comes_after_half_a_sentence, garbage_is_no_answer,
                a_line_of_a_megabyte_comes_whole, an_answer_may_be_empty_or_truncated,
                filters_refuse_the_prompt_or_stop_the_answer,
                a_rule_that_is_used_up_applies_no_more, the_log_tells_what_was_asked])
    os.unlink(log)


main()
