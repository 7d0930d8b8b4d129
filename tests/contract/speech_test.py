"""speech_test.py - the official openai client transcribes and speaks with speech-double."""
import io
import wave

import openai

from double import Double, checks

KEY = 'sk-contract'


def wav(pcm, hz):
    out = io.BytesIO()
    with wave.open(out, 'wb') as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(hz)
        file.writeframes(pcm)
    return out.getvalue()


def main():
    with Double('speech-double', '--api-key', KEY) as double:
        client = openai.OpenAI(api_key=KEY, base_url=double.url + '/v1', max_retries=0)

        def speak(text, **more):
            return client.audio.speech.create(model='tts-1', voice='alloy', input=text,
                                              response_format='pcm', **more)

        def hear(audio, **more):
            return client.audio.transcriptions.create(
                model='whisper-1', file=('said.wav', audio, 'audio/wav'), **more)

        def what_it_speaks_it_transcribes():
            heard = hear(wav(speak('hello there').content, 24000), language='en')
            assert heard.text == 'hello there', heard

        def speech_streams_in_pieces():
            with client.audio.speech.with_streaming_response.create(
                    model='tts-1', voice='alloy', input='one two three four five',
                    response_format='pcm') as answer:
                pieces = [piece for piece in answer.iter_bytes(4096)]
            assert len(pieces) > 5 and sum(map(len, pieces)) > 24000, len(pieces)

        def a_speed_changes_its_length():
            fast, slow = (len(speak('one two three', speed=s).content) for s in (1.5, 0.75))
            assert slow > 1.5 * fast, (slow, fast)

        def a_wav_file_is_one():
            answer = client.audio.speech.create(model='tts-1', voice='alloy', input='hello there',
                                                response_format='wav')
            with wave.open(io.BytesIO(answer.content)) as file:
                assert (file.getframerate(), file.getnchannels()) == (24000, 1)

        def other_formats_of_a_transcription():
            audio = wav(speak('hello there').content, 24000)
            assert hear(audio, response_format='text').strip() == 'hello there'
            verbose = hear(audio, response_format='verbose_json')
            assert verbose.text == 'hello there' and float(verbose.duration) > 0.5, verbose

        def what_is_wrong_is_refused():
            for wrong in (lambda: hear(b'no audio at all'), lambda: hear(wav(b'\0' * 320, 16000)),
                          lambda: speak('x' * 4097), lambda: speak('hello', speed=9.0)):
                try:
                    wrong()
                except openai.BadRequestError:
                    continue
                raise AssertionError('it was taken')

        def a_wrong_key_is_refused():
            other = openai.OpenAI(api_key='sk-other', base_url=double.url + '/v1', max_retries=0)
            try:
                other.audio.speech.create(model='tts-1', voice='alloy', input='hello')
            except openai.AuthenticationError:
                return
            raise AssertionError('it was let in')

        checks([what_it_speaks_it_transcribes, speech_streams_in_pieces,
                a_speed_changes_its_length, a_wav_file_is_one,
                other_formats_of_a_transcription, what_is_wrong_is_refused,
                a_wrong_key_is_refused])


main()
